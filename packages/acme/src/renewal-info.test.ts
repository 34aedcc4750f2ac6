import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "@lb/core/kit";
import { expect, onTestFinished, test } from "vitest";
import { renewalName } from "./renewal-info.ts";

function openssl(serial: string): { readonly cert: string; readonly keyIdentifier: string } {
  const folder = mkdtempSync(join(tmpdir(), "lb-ari-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  run(
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    "k",
    "-out",
    "c",
    "-set_serial",
    serial,
    "-subj",
    "/CN=x",
    "-addext",
    "authorityKeyIdentifier=keyid:always",
  );
  const shown = run("x509", "-in", "c", "-noout", "-ext", "authorityKeyIdentifier");
  return {
    cert: readFileSync(join(folder, "c"), "utf8"),
    keyIdentifier: shown.match(/(?:[\dA-F]{2}:){19}[\dA-F]{2}/)![0],
  };
}

test("a certificate is called by who signed it and by its number, as RFC 9773 §4.1 encodes them", () => {
  const { cert, keyIdentifier } = openssl("0x87654321");
  const authority = Buffer.from(keyIdentifier.replaceAll(":", ""), "hex").toString("base64url");
  // The number of the example in the RFC: the zero before it is there, since it would be negative without.
  expect(renewalName(cert)).toBe(`${authority}.AIdlQyE`);
  expect(renewalName(openssl("0x5").cert)).toMatch(/\.BQ$/);
});

test("one that does not say who signed it has no such name", () => {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  expect(
    renewalName(makeCertificate({ subject: "x", key, notBefore: 0, notAfter: 1, extensions: [] })),
  ).toBeUndefined();
});
