import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { type TestCertificate, testCertificate } from "../../../test/support/test-certificate.ts";
import { httpsSchema } from "../../options/https-options.ts";
import { parseOptions } from "../../options/validation.ts";
import { watchMs } from "../../tls/file-watch.ts";
import { CertificateStore } from "./certificate-store.ts";
import { certificateWatch } from "./certificate-watch.ts";

async function watch(first: TestCertificate) {
  const folder = mkdtempSync(join(tmpdir(), "lb-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const at = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  copyFileSync(first.cert, at.cert);
  copyFileSync(first.key, at.key);
  const store = new CertificateStore(parseOptions(httpsSchema, { certificates: [at] }, "https"));
  const clock = new ManualClock();
  const told: string[] = [];
  const watching = certificateWatch({
    store,
    clock,
    renewed: (certificates) => told.push(certificates.map(({ names }) => names.join()).join("; ")),
    failed: ({ code, message }) => told.push(`${code} ${message}`),
  });
  await watching.begin();
  onTestFinished(() => watching.stop());
  /** One look, and all that follows from it: the next is set then. */
  const look = async () => {
    clock.advance(watchMs);
    await expect.poll(() => clock.pending).toBe(1);
  };
  return { folder, at, store, told, look, watching, clock };
}

test("files that are renamed over are read, once, and a look at the same ones does nothing", async () => {
  const { at, store, told, look } = await watch(testCertificate(["DNS:old.example"]));
  await look();
  expect(told).toEqual([]);
  const next = testCertificate(["DNS:new.example"]);
  for (const part of ["cert", "key"] as const) {
    copyFileSync(next[part], `${at[part]}.new`);
    renameSync(`${at[part]}.new`, at[part]);
  }
  await look();
  await look();
  expect(told).toEqual(["new.example"]);
  expect([store.current.askedFor("new.example"), store.current.askedFor("old.example")]).toEqual(["first", undefined]);
});

test("others that the store was given are looked after, and what cannot be used changes nothing", async () => {
  const { at, store, told, look, watching } = await watch(testCertificate(["DNS:old.example"]));
  const [next, newer] = [testCertificate(["DNS:next.example"]), testCertificate(["DNS:newer.example"])];
  expect(() => store.set([{ cert: next.cert, key: at.key }])).toThrow(/^Option "certificates\[0\]": The key is not/);
  expect([store.facts[0]!.names, store.files]).toEqual([["old.example"], [at.cert, at.key]]);
  store.set([next]);
  watching.forget();
  await look();
  expect([store.facts[0]!.names, told]).toEqual([["next.example"], []]);
  copyFileSync(newer.cert, next.cert);
  copyFileSync(newer.key, next.key);
  await look();
  expect(told).toEqual(["newer.example"]);
});

test("symlinks that are swapped, as Kubernetes does", async () => {
  const [one, two] = [testCertificate(["DNS:one.example"]), testCertificate(["DNS:two.example"])];
  const { folder, at, told, look } = await watch(one);
  for (const [name, { cert, key }] of Object.entries({ v1: one, v2: two })) {
    mkdirSync(join(folder, name));
    copyFileSync(cert, join(folder, name, "cert.pem"));
    copyFileSync(key, join(folder, name, "key.pem"));
  }
  const swap = (version: string) => {
    symlinkSync(version, join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "data"));
  };
  swap("v1");
  for (const file of [at.cert, at.key]) {
    rmSync(file);
    symlinkSync(join("data", file.slice(folder.length + 1)), file);
  }
  await look();
  swap("v2");
  await look();
  expect(told).toEqual(["one.example", "two.example"]);
});

test("BAD-INPUTS 133: what cannot be used is told at the second look, once, and the old pair serves on until it is mended", async () => {
  const { at, store, told, look } = await watch(testCertificate(["DNS:old.example"]));
  const next = testCertificate(["DNS:new.example"]);
  copyFileSync(next.cert, at.cert);
  await look();
  expect(told).toEqual([]);
  await look();
  await look();
  expect(told).toEqual([expect.stringMatching(/^LB_CERTIFICATE .*The key is not that of the certificate/)]);
  expect(store.current.askedFor("old.example")).toBe("first");
  rmSync(at.key);
  await look();
  expect(told.at(-1)).toMatch(/cannot be read: ENOENT/);
  writeFileSync(at.key, "");
  await look();
  expect(told.at(-1)).toMatch(/is not a private key in PEM/);
  copyFileSync(next.key, at.key);
  await look();
  expect(told).toHaveLength(4);
  expect(told.at(-1)).toBe("new.example");
});

test("stopped it looks no more", async () => {
  const { watching, clock } = await watch(testCertificate(["DNS:old.example"]));
  watching.stop();
  expect(clock.pending).toBe(0);
});
