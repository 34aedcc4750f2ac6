// `lb start --https`: for localhost, for names on the Internet, and without this package.
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { freePorts } from "../../core/test/support/free-ports.ts";
import { Shell } from "../../core/test/support/shell.ts";
import { publicPorts, storageFolder } from "./support/acme-cluster.ts";
import { startPebble } from "./support/pebble.ts";

const run = promisify(execFile);

const app = `require("node:http").createServer((request, response) => response.end(request.headers["x-forwarded-proto"])).listen(process.env.PORT);`;

function shell(home: string): Shell {
  const made = new Shell();
  made.env["XDG_STATE_HOME"] = home;
  // Where pnpm's own commands find everything.
  delete made.env["NODE_PATH"];
  made.write("app.cjs", app);
  return made;
}

test("lb start --https localhost: curl is redirected and trusts it by its root, and lb certs shows it", async () => {
  const home = storageFolder();
  const here = shell(home);
  const ports = ["-p", String(await freePorts(1)), "--https-port", String(await freePorts(1)), "--worker-port", "0"];
  const { port, said } = await here.start("app.cjs", "-i", "1", "--https", "localhost", ...ports);
  const root = join(home, "lb", "localhost", "root.pem");
  await eventually(() => said().includes(`lb: to trust it, once: `), { what: said() });
  expect(said()).toContain(`lb: the certificate for localhost is of an authority of your own: ${root}`);
  const { stdout } = await run("curl", ["-sSL", "--cacert", root, `http://localhost:${port}/`]);
  expect(stdout).toBe("https");
  const http2 = await run("curl", [
    "-sSL",
    "--http2",
    "-w",
    " %{http_version}",
    "--cacert",
    root,
    `http://localhost:${port}/`,
  ]);
  expect(http2.stdout).toBe("https 2");
  const certs = await here.run("certs");
  expect(certs.stdout).toMatch(
    /localhost, 127\.0\.0\.1, \[::1\] +lb on this machine \w+ +this machine +20\d\d-\d\d-\d\d +8\d +-\n/,
  );
});

test("lb start --https a.example,b.example --email: a certificate of the authority, which lb certs shows with its renewal", async () => {
  const { port, httpsPort } = await publicPorts();
  const authority = await startPebble({ httpPort: port, tlsPort: httpsPort });
  const home = storageFolder();
  const here = shell(home);
  // As if it were installed beside the app.
  rmSync(join(here.folder, "node_modules"));
  mkdirSync(join(here.folder, "node_modules", "@lb"), { recursive: true });
  symlinkSync(resolve(import.meta.dirname, ".."), join(here.folder, "node_modules", "@lb", "acme"));
  writeFileSync(join(here.folder, "lb.config.json"), JSON.stringify({ https: { acme: { ca: authority.ca } } }));
  const names = ["--https", "a.example,b.example", "--email", "x@a.example", "--acme", authority.directory];
  const ports = ["-p", String(port), "--https-port", String(httpsPort), "--worker-port", "0", "--host", "127.0.0.1"];
  const { said } = here.spawn("start", "app.cjs", "-i", "1", ...names, ...ports);
  await eventually(() => said().includes("certificates renewed"), { what: said(), withinMs: 20_000 });
  const root = await authority.root();
  for (const servername of ["a.example", "b.example"]) {
    const socket = connect({ port: httpsPort, host: "127.0.0.1", servername, ca: root });
    await new Promise((done, failed) => socket.once("secureConnect", done).once("error", failed));
    socket.destroy();
  }
  const certs = await here.run("certs");
  expect(certs.stdout).toMatch(
    /a\.example, b\.example +Pebble Intermediate CA \w+ +an authority \(ACME\) +20\d\d-\d\d-\d\d +\d+ +20\d\d-/,
  );
});

test("without the package it says what to install", async () => {
  const here = shell(storageFolder());
  const { code, stderr } = await here.run("start", "app.cjs", "--https", "a.example", "-p", "0");
  expect([code, stderr]).toEqual([2, expect.stringContaining("npm install @lb/acme")]);
});
