// `lb start --https localhost`, and what its own log says of how to trust it, in a browser.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../packages/core/test/support/eventually.ts";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { Shell } from "../../packages/core/test/support/shell.ts";
import { launchBrowser } from "./browser.ts";

test("a browser trusts it once the authority is told to it, speaks HTTP/2, and is sent there from the plain port", async () => {
  const home = mkdtempSync(join(tmpdir(), "lb-home-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const shell = new Shell();
  Object.assign(shell.env, { HOME: home, XDG_STATE_HOME: undefined });
  shell.write(
    "app.cjs",
    `require("node:http").createServer((_, response) => response.end("at home")).listen(process.env.PORT);`,
  );
  const httpsPort = await freePorts(1);
  const ports = ["-p", String(await freePorts(1)), "--https-port", String(httpsPort), "--worker-port", "0"];
  const { port, said } = await shell.start("app.cjs", "-i", "1", "--https", "localhost", ...ports);
  const open = async () => {
    const browser = await launchBrowser({ home });
    const page = await browser.newPage();
    const response = await page.goto(`http://localhost:${port}/`);
    const [text, url, protocol] = [
      await page.textContent("body"),
      page.url(),
      await page.evaluate(
        () => (performance.getEntriesByType("navigation")[0] as PerformanceResourceTiming).nextHopProtocol,
      ),
    ];
    return { text, url, protocol, issuer: (await response!.securityDetails())!.issuer };
  };
  await expect(open()).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
  const [, command] = await eventually(() => /browsers: (certutil .*?); or curl/.exec(said()), {
    what: "how to trust it",
  });
  mkdirSync(join(home, ".pki", "nssdb"), { recursive: true });
  execFileSync("certutil", ["-N", "-d", `sql:${home}/.pki/nssdb`, "--empty-password"]);
  execFileSync("/bin/sh", ["-c", command!], { env: { ...process.env, HOME: home } });
  expect(await open()).toEqual({
    text: "at home",
    url: `https://localhost:${httpsPort}/`,
    protocol: "h2",
    issuer: expect.stringMatching(/^lb on this machine/),
  });
});
