import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { makeCertificate, subjectAltName } from "@lb/core/kit";
import { onTestFinished } from "vitest";
import { eventually } from "../../../core/test/support/eventually.ts";
import { freePorts } from "../../../core/test/support/free-ports.ts";
import { startProgram } from "./processes.ts";

export interface PebbleOptions {
  /** Where it looks for proofs. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Of accounts it takes, by their ids; others are refused. */
  readonly eab?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Where and how a certificate authority is reached. */
export interface TestAuthority {
  readonly directory: string;
  /** Whom its own server is known by; PEM. */
  readonly ca: string;
}

export interface Pebble extends TestAuthority {
  /** Of the certificates that it gives; PEM. */
  root(): Promise<string>;
  stop(): Promise<void>;
}

/** A certificate for 127.0.0.1 that signs itself. */
export function ownCertificate(): { readonly cert: string; readonly key: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cert = makeCertificate({
    subject: "Test",
    key: privateKey,
    notBefore: Date.now() - 86_400_000,
    notAfter: Date.now() + 86_400_000,
    extensions: [subjectAltName([{ kind: "ip", bytes: Buffer.of(127, 0, 0, 1) }])],
  });
  return { cert, key: privateKey.export({ type: "pkcs8", format: "pem" }) as string };
}

/** Let's Encrypt's small authority for tests, for which every name leads to 127.0.0.1. Gone with the test. */
export async function startPebble({ httpPort, tlsPort, eab, env = {} }: PebbleOptions): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), "lb-pebble-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [port, management, dns, dnsManagement] = [
    await freePorts(1),
    await freePorts(1),
    await freePorts(1),
    await freePorts(1),
  ];
  const { cert, key } = ownCertificate();
  const [certificate, privateKey, config] = ["cert.pem", "key.pem", "pebble.json"].map((name) => join(folder, name));
  writeFileSync(certificate!, cert);
  writeFileSync(privateKey!, key);
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate,
    privateKey,
    httpPort,
    tlsPort,
    ocspResponderURL: "",
    externalAccountBindingRequired: eab !== undefined,
    externalAccountMACKeys: eab ?? {},
    retryAfter: { authz: 0, order: 0 },
  };
  writeFileSync(config!, JSON.stringify({ pebble }));
  await startProgram(
    "pebble-challtestsrv",
    [
      ...["-dns01", `127.0.0.1:${dns}`, "-management", `127.0.0.1:${dnsManagement}`, "-defaultIPv6", ""],
      ...["-http01", "", "-https01", "", "-tlsalpn01", ""],
    ],
    { ready: /Starting management server|Answering server/i },
  );
  const { stop } = await startProgram("pebble", ["-config", config!, "-strict", "-dnsserver", `127.0.0.1:${dns}`], {
    ready: /ACME directory available/i,
    env: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "20", PEBBLE_AUTHZREUSE: "0", ...env },
  });
  const directory = `https://127.0.0.1:${port}/dir`;
  // It says that it is there before it listens.
  await eventually(() => download(directory, cert).catch(() => undefined), { what: "an answer of pebble" });
  return {
    directory,
    ca: cert,
    root: () => download(`https://127.0.0.1:${management}/roots/0`, cert),
    stop,
  };
}

function download(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => resolve(text(response))).on("error", reject);
  });
}
