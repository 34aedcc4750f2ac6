import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { testCertificate } from "../../test/support/test-certificate.ts";
import { readCertificate } from "./certificate.ts";

test("names, expiry and kind of key are read, from files and from PEM", () => {
  const files = testCertificate(["DNS:A.example", "DNS:*.b.example", "IP:127.0.0.1"]);
  const read = readCertificate(files, "at");
  expect(read.names).toEqual(["a.example", "*.b.example", "127.0.0.1"]);
  expect(read.keyType).toBe("ec");
  const days = (read.expiresAt - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(29);
  expect(days).toBeLessThanOrEqual(30);
  const pem = { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8") };
  expect(readCertificate(pem, "at")).toEqual(read);
});

test("BAD-INPUTS 133: what cannot be used is named: the option, the file, and what is wrong", () => {
  const good = testCertificate(["DNS:a.example"]);
  const other = testCertificate(["DNS:a.example"], { kind: "rsa" });
  const locked = testCertificate(["DNS:a.example"], { passphrase: "let me in" });
  const why = (given: Parameters<typeof readCertificate>[0]): string => {
    try {
      readCertificate(given, "at");
      return "nothing";
    } catch (error) {
      expect(error).toMatchObject({ name: "LbError", code: "LB_CERTIFICATE" });
      return (error as Error).message;
    }
  };
  expect(why({ cert: good.cert, key: other.key })).toBe(
    'Option "at": The key is not that of the certificate: give the two that were made together.',
  );
  expect(why({ cert: "/nowhere", key: good.key })).toMatch(/^Option "at\.cert": The file cannot be read: ENOENT/);
  expect(why({ cert: good.key, key: good.key })).toMatch(/^Option "at\.cert": The file .* is not a certificate in PEM/);
  expect(why({ cert: good.cert, key: good.cert })).toMatch(
    /^Option "at\.key": The file .* is not a private key in PEM/,
  );
  expect(why(locked)).toMatch(/^Option "at\.key": .* without a passphrase/);
  expect(why({ ...locked, passphrase: "wrong" })).toMatch(/of that passphrase/);
  expect(why({ ...locked, passphrase: "let me in" })).toBe("nothing");
  writeFileSync(good.cert, readFileSync(good.cert).subarray(0, 200));
  expect(why(good)).toMatch(/^Option "at\.cert"/);
});

test("no secret is in a message", () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----";
  const { cert } = testCertificate(["DNS:a.example"]);
  const read = () => readCertificate({ cert, key, passphrase: "open sesame" }, "at");
  expect(read).toThrow(/^Option "at\.key": The text is not/);
  expect(read).not.toThrow(/MIGHAgEAMBMG|sesame/);
});
