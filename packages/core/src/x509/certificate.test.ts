// What is written here is read by OpenSSL, and by Node.
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate, toPem } from "./certificate.ts";
import { certificateRequest } from "./certificate-request.ts";
import { integer, objectIdentifier, octetString, readAll, sequence, time } from "./der.ts";
import * as extension from "./extensions.ts";
import type { SubjectName } from "./names.ts";

const dayMs = 86_400_000;
const now = Date.now();

function newKey() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

function openssl(args: readonly string[], files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "lb-x509-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const localhost: readonly SubjectName[] = [
  { kind: "dns", name: "localhost" },
  { kind: "ip", bytes: Buffer.of(127, 0, 0, 1) },
];

function authority() {
  const key = newKey();
  const root = makeCertificate({
    subject: "Root",
    key,
    notBefore: now - dayMs,
    notAfter: now + 10 * dayMs,
    extensions: [
      extension.basicConstraints(true),
      extension.keyUsage(true),
      extension.subjectKeyIdentifier(key),
      extension.nameConstraints([
        { kind: "dns", name: "localhost" },
        { kind: "ip", bytes: Buffer.of(127, 0, 0, 0, 255, 0, 0, 0) },
      ]),
    ],
  });
  const issue = (names: readonly SubjectName[]) =>
    makeCertificate({
      subject: "Leaf",
      key: newKey(),
      issuer: { subject: "Root", key },
      notBefore: now - dayMs,
      notAfter: now + dayMs,
      extensions: [
        extension.basicConstraints(false),
        extension.keyUsage(false),
        extension.forServers(),
        extension.subjectAltName(names),
        extension.subjectKeyIdentifier(newKey()),
        extension.authorityKey(key),
      ],
    });
  return { root, issue };
}

test("a certificate is one to OpenSSL, for its names, signed by its authority, which may sign for no others", () => {
  const { root, issue } = authority();
  const leaf = issue(localhost);
  const strict = ["verify", "-x509_strict", "-CAfile", "root.pem", "-purpose", "sslserver", "leaf.pem"];
  expect(openssl(strict, { "root.pem": root, "leaf.pem": leaf })).toBe("leaf.pem: OK\n");
  expect(() =>
    openssl(strict, { "root.pem": root, "leaf.pem": issue([{ kind: "dns", name: "bank.example" }]) }),
  ).toThrow(/permitted subtree violation/);
  const read = new X509Certificate(leaf);
  expect(read.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1");
  expect(read.checkIssued(new X509Certificate(root))).toBe(true);
  expect(Math.abs(Date.parse(read.validTo) - (now + dayMs))).toBeLessThan(1_000);
  expect(
    openssl(["x509", "-in", "leaf.pem", "-noout", "-ext", "authorityKeyIdentifier"], { "leaf.pem": leaf }),
  ).toContain(extension.authorityKeyIdentifierOf(read.raw)!.toString("hex").toUpperCase().match(/../g)!.join(":"));
});

test("a request is one to OpenSSL, and says what it is for", () => {
  const names = ["a.example", "www.a.example"].map((name) => ({ kind: "dns", name }) as const);
  const csr = toPem("CERTIFICATE REQUEST", certificateRequest(names, newKey()));
  const shown = openssl(["req", "-in", "csr.pem", "-verify", "-text", "-noout"], { "csr.pem": csr });
  expect(shown).toContain("DNS:a.example, DNS:www.a.example");
  expect(shown).toContain("Signature Algorithm: ecdsa-with-SHA256");
});

test("values are encoded in the least bytes", () => {
  expect(integer(0).toString("hex")).toBe("020100");
  expect(integer(Buffer.of(0, 0, 0x80)).toString("hex")).toBe("02020080");
  expect(objectIdentifier("1.2.840.10045.4.3.2").toString("hex")).toBe("06082a8648ce3d040302");
  expect(octetString(Buffer.alloc(200)).subarray(0, 3).toString("hex")).toBe("0481c8");
  expect(octetString(Buffer.alloc(70_000)).subarray(0, 5).toString("hex")).toBe("0483011170");
  expect(time(Date.UTC(2049, 11, 31)).toString("latin1", 2)).toBe("491231000000Z");
  expect(time(Date.UTC(2050, 0, 1)).toString("latin1", 2)).toBe("20500101000000Z");
});

test("what ends too early, or has a length that is none, is not read", () => {
  const whole = sequence(integer(1), octetString(Buffer.alloc(300)));
  for (let length = 1; length < whole.length; length += 1) {
    expect(() => readAll(whole.subarray(0, length))).toThrow(RangeError);
  }
  expect(() => readAll(Buffer.of(0x30, 0x80, 0, 0))).toThrow(RangeError);
});
