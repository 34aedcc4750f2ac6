// pnpm try:https [22 | 24 | 26]: as on a fresh machine. Packs @lb/core and @lb/acme, installs them with npm in an empty folder, and runs
// `npx lb start app.js --https localhost` there; curl has to find HTTP/2 with a certificate that it trusts, and a redirect from the plain port.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { takePort } from "../packages/core/test/support/free-ports.ts";

const root = resolve(import.meta.dirname, "..");
const compat = createRequire(join(root, "compat/package.json"));
const nodes: Readonly<Record<string, string>> = {
  22: compat.resolve("node22/bin/node"),
  24: createRequire(import.meta.url).resolve("node/bin/node"),
  26: compat.resolve("node26/bin/node"),
};

const app = `require("node:http")
  .createServer((request, response) => response.end(JSON.stringify({ url: request.url, secure: request.headers["x-forwarded-proto"] })))
  .listen(process.env.PORT);
`;

const folder = mkdtempSync(join(tmpdir(), "lb-fresh-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

function packed(): readonly string[] {
  for (const name of ["core", "acme"])
    execFileSync("pnpm", ["pack", "--pack-destination", folder], {
      cwd: join(root, "packages", name),
      stdio: "ignore",
    });
  return readdirSync(folder)
    .filter((name) => name.endsWith(".tgz"))
    .map((name) => join(folder, name));
}

/** A machine where nobody has used lb: an empty folder, a home of its own. */
function machine(version: string, tarballs: readonly string[]) {
  const place = join(folder, version);
  const home = join(place, "home");
  mkdirSync(home, { recursive: true });
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${dirname(nodes[version]!)}${delimiter}${process.env["PATH"]}`,
    HOME: home,
    XDG_STATE_HOME: undefined,
    STATE_DIRECTORY: undefined,
    // Which registry there is, and how it is reached, is this machine's affair.
    npm_config_userconfig: join(homedir(), ".npmrc"),
  };
  writeFileSync(join(place, "package.json"), `{ "private": true }`);
  writeFileSync(join(place, "app.js"), app);
  execFileSync("npm", ["install", "--no-audit", "--no-fund", ...tarballs], { cwd: place, env, stdio: "inherit" });
  return { place, env, home };
}

function check(what: string, isSo: boolean, seen: unknown): void {
  console.log(`  ${isSo ? "yes" : "NO "}  ${what}`);
  if (isSo) return;
  console.log(seen);
  process.exitCode = 1;
}

/** Rejects when nobody answers. */
function curl(...args: readonly string[]): string {
  return execFileSync("curl", ["-sS", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A port, and the one that `--https localhost` takes beside it: 3443 for 3000. */
async function freePair(): Promise<{ readonly port: number; readonly httpsPort: number }> {
  for (let port = 11_000; port < 32_000; port += 1_000) {
    const pair = await Promise.all([takePort(port), takePort(port + 443)]).catch(() => []);
    for (const { server } of pair) server.close();
    if (pair.length === 2) return { port, httpsPort: port + 443 };
  }
  throw new Error("No pair of ports is free");
}

async function listens(lb: ChildProcess, said: () => string): Promise<void> {
  for (let tried = 0; tried < 300; tried += 1) {
    if (/listens on/.test(said()) && /root\.pem/.test(said())) return;
    if (lb.exitCode !== null) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`lb does not listen:\n${said()}`);
}

async function tryOn(version: string, tarballs: readonly string[]): Promise<void> {
  console.log(`Node ${version}`);
  const { place, env, home } = machine(version, tarballs);
  const { port, httpsPort } = await freePair();
  const lb = spawn("npx", ["lb", "start", "app.js", "--https", "localhost", "-i", "2", "-p", String(port)], {
    cwd: place,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [lb.stdout, lb.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const exit = once(lb, "exit");
  try {
    await listens(lb, () => said);
    const [ca] = /\/\S+root\.pem/.exec(said) ?? [""];
    check("the log names the authority's root, in the user's home", ca.startsWith(home), said);
    const at = `https://localhost:${httpsPort}/a?b=1`;
    const answer = curl("--http2", "--cacert", ca, "-w", "\n%{http_version} %{response_code}", at);
    check("HTTP/2 with a certificate that curl trusts", answer.endsWith("\n2 200"), answer);
    check("the app is told that it was https", answer.includes('"secure":"https"'), answer);
    const plain = curl("-o", "/dev/null", "-w", "%{response_code} %{redirect_url}", `http://localhost:${port}/a?b=1`);
    check("the plain port redirects there", plain === `308 ${at}`, plain);
    const followed = curl("-L", "--http2", "--cacert", ca, "-d", "x=1", `http://localhost:${port}/form`);
    check("and a form that is sent there arrives", followed.includes('"url":"/form"'), followed);
  } finally {
    process.kill(-lb.pid!, "SIGTERM");
    await exit;
  }
  check("it ends by SIGTERM", lb.exitCode === 0 || lb.signalCode === "SIGTERM", [lb.exitCode, lb.signalCode, said]);
}

const versions = process.argv.length > 2 ? process.argv.slice(2) : ["22", "24"];
const unknown = versions.find((version) => nodes[version] === undefined);
if (unknown !== undefined) {
  console.error(`usage: pnpm try:https [${Object.keys(nodes).join(" | ")}]`);
  process.exit(2);
}
const tarballs = packed();
for (const version of versions) await tryOn(version, tarballs);
