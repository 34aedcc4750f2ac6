import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { localCertificate, localRoot } from "./local-authority.ts";

const day = 86_400_000;
let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "lb-local-")), "state");
  return () => rmSync(join(folder, ".."), { recursive: true, force: true });
});

function serialOf(path: string): string {
  return new X509Certificate(readFileSync(path)).serialNumber;
}

test("a certificate for this machine is made once, trusted by its root, and nobody else's to read", () => {
  const now = Date.now();
  const path = localCertificate(folder, now);
  expect(localCertificate(folder, now)).toBe(path);
  const strict = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", localRoot(folder), path];
  expect(execFileSync("openssl", strict, { encoding: "utf8" })).toContain("OK");
  expect(new X509Certificate(readFileSync(path)).subjectAltName).toBe(
    "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
  );
  const modes = readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]);
  expect(Object.fromEntries(modes)).toEqual({ "authority.pem": "600", "localhost.pem": "600", "root.pem": "644" });
  expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
});

test("it is made anew when a third of its time is left, of the same authority; when that one ends, both are", () => {
  const now = Date.now();
  const path = localCertificate(folder, now);
  const [first, root] = [serialOf(path), serialOf(localRoot(folder))];
  localCertificate(folder, now + 59 * day);
  expect(serialOf(path)).toBe(first);
  localCertificate(folder, now + 61 * day);
  const second = serialOf(path);
  expect(second).not.toBe(first);
  expect(serialOf(localRoot(folder))).toBe(root);
  localCertificate(folder, now + 3_600 * day);
  expect(serialOf(localRoot(folder))).not.toBe(root);
});

test("what somebody has broken is made anew; a folder that others may write in is not used", () => {
  const now = Date.now();
  const path = localCertificate(folder, now);
  writeFileSync(path, "nothing");
  localCertificate(folder, now);
  expect(serialOf(path)).toMatch(/^[\dA-F]+$/);
  chmodSync(folder, 0o777);
  expect(() => localCertificate(folder, now)).toThrow(expect.objectContaining({ code: "LB_CERTIFICATE" }));
});
