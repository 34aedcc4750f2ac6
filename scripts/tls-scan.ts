// pnpm scan:tls [--write]: what testssl.sh (Debian: `apt install testssl.sh`) finds at a port with TLS of ours, as the options are by default.
// Fails for a finding above "low". With --write it goes into docs/tls-scan.md.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../packages/core/test/support/free-ports.ts";

const command = ["testssl", "testssl.sh"].find(
  (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).error === undefined,
);
if (command === undefined) {
  console.error("testssl.sh is not on this machine: apt install testssl.sh");
  process.exit(1);
}

/** As testssl.sh has them in its JSON. */
interface Finding {
  readonly id: string;
  readonly severity: "OK" | "INFO" | "WARN" | "LOW" | "MEDIUM" | "HIGH" | "CRITICAL" | "FATAL";
  readonly finding: string;
}

/** What is about our throw-away certificate and who issued it, or about names that only a real host has. */
const ofCertificate = /^(cert|DNS_CAArecord|intermediate_cert)/;
/** What is about the scan, or lists what other findings sum up. */
const ofScan =
  /^(engine_problem|scanTime|service|pre_128cipher|clientsimulation-|cipher_x|banner_reverseproxy|DROWN_hint)/;
const tooMuch: ReadonlySet<string> = new Set(["MEDIUM", "HIGH", "CRITICAL", "FATAL"]);

const folder = mkdtempSync(join(tmpdir(), "lb-scan-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}

function makeCertificate(): void {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
  openssl("req", "-x509", ...curve, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-subj", "/CN=scan CA");
  openssl("req", ...curve.slice(0, 5), "-keyout", at("key.pem"), "-out", at("leaf.csr"), "-subj", "/CN=scan.example");
  writeFileSync(at("names"), "subjectAltName=DNS:scan.example,DNS:localhost\nextendedKeyUsage=serverAuth\n");
  const signed = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "30"];
  openssl("x509", "-req", "-in", at("leaf.csr"), ...signed, "-extfile", at("names"), "-out", at("cert.pem"));
}

async function start(port: number) {
  writeFileSync(
    at("app.cjs"),
    'require("node:http").createServer((_, response) => response.end("hello\\n")).listen(process.env.PORT);',
  );
  const https = { port, certificates: [{ cert: at("cert.pem"), key: at("key.pem") }] };
  const options = {
    entry: at("app.cjs"),
    instances: 1,
    port: 0,
    workerPort: 0,
    control: false,
    securityHeaders: true,
    https,
  };
  writeFileSync(at("lb.config.json"), JSON.stringify(options));
  const cli = join(import.meta.dirname, "../packages/core/dist/cli.js");
  const child = spawn(process.execPath, [cli, "start", "--config", at("lb.config.json")], {
    stdio: ["ignore", "inherit", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("listens on")) resolve();
    });
    child.once("exit", () => reject(new Error(`The cluster did not start: ${said}`)));
  });
  return child;
}

/** To its end; what it says goes to standard error. */
async function scan(port: number): Promise<readonly Finding[]> {
  const options = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1"];
  const scanning = spawn(
    command!,
    [...options, "--add-ca", at("ca.pem"), "--jsonfile", at("found.json"), `https://scan.example:${port}`],
    {
      stdio: ["ignore", 2, 2],
    },
  );
  await once(scanning, "exit");
  return JSON.parse(readFileSync(at("found.json"), "utf8")) as readonly Finding[];
}

function page(findings: readonly Finding[], version: string): string {
  const told = findings.filter(({ id }) => !ofScan.test(id));
  const rows = told.map(
    ({ id, severity, finding }) => `| ${id} | ${severity} | ${finding.replaceAll("|", "/").slice(0, 160)} |`,
  );
  return `# A scan of the port with TLS

Made by \`pnpm scan:tls --write\`, with testssl.sh ${version} against \`lb start\` with \`https: { certificates }\` and \`securityHeaders: true\`, the rest as it is by default (Node ${process.version}). What
is about the certificate is left out: it was made for the scan, by a CA of nobody's.

| test | severity | finding |
| ---- | -------- | ------- |
${rows.join("\n")}
`;
}

makeCertificate();
const port = await freePorts(1);
const front = await start(port);
let all: readonly Finding[];
try {
  all = await scan(port);
} finally {
  front.kill("SIGTERM");
}
const findings = all.filter(({ id }) => !ofCertificate.test(id));
const bad = findings.filter(({ severity }) => tooMuch.has(severity));
const count = (of: Finding["severity"]) => findings.filter(({ severity }) => severity === of).length;
console.log((["OK", "INFO", "WARN", "LOW"] as const).map((one) => `${one}: ${count(one)}`).join(", "));
for (const { id, severity, finding } of findings) {
  if (!["OK", "INFO"].includes(severity)) console.log(`${severity} ${id}: ${finding}`);
}
if (process.argv.includes("--write")) {
  const [, version = ""] =
    /testssl\S*\s+([\d.]+)/.exec(execFileSync(command, ["--version"], { encoding: "utf8" })) ?? [];
  writeFileSync(join(import.meta.dirname, "../docs/tls-scan.md"), page(findings, version));
}
if (findings.length < 50) throw new Error(`testssl.sh tested ${findings.length} things only`);
if (bad.length > 0) process.exitCode = 1;
