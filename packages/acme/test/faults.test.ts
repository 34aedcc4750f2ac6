// What goes wrong with an authority, and with the disk: the old certificate serves on, and it is tried again. FAULTS 61.
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { systemClock } from "@lb/core/kit";
import { expect, test } from "vitest";
import { Authority } from "../src/authority.ts";
import { Transport } from "../src/transport.ts";
import { AcmeCluster, type AcmeClusterOptions, publicPorts, storageFolder } from "./support/acme-cluster.ts";
import { AuthorityProxy, json, problem } from "./support/authority-proxy.ts";
import { ownCertificate, startPebble } from "./support/pebble.ts";

const day = 86_400_000;
const past = { start: new Date(Date.now() - 2 * day), end: new Date(Date.now() - day) };

/** A cluster with a certificate that its authority wants renewed, as soon as somebody asks. */
async function started(given: Partial<AcmeClusterOptions> = {}) {
  const ports = await publicPorts();
  const authority = await AuthorityProxy.start(await startPebble({ httpPort: ports.port, tlsPort: ports.httpsPort }));
  const storage = storageFolder();
  const cluster = new AcmeCluster({ ...ports, authority, storage, acme: { challenge: "http-01" }, ...given });
  const serial = await cluster.certified();
  await expect.poll(() => cluster.primary.log).toContain("certificates renewed");
  const folder = join(storage, readdirSync(storage)[0]!);
  const failed = async (times = 1) => (await cluster.events("certificate-order-failed", times)).at(-1)!;
  const renew = () => {
    authority.renewal = () => past;
    return cluster.primary.operate("reloadCertificates");
  };
  const servesOn = async () => expect((await cluster.peer("a.example")).serialNumber).toBe(serial);
  return { ports, authority, cluster, serial, storage, folder, renew, failed, servesOn };
}

test("FAULTS 61: an authority that is rate-limited, answers nonsense, nothing, or too much, or refuses an order: told with the next try", async () => {
  const { authority, cluster, renew, failed, servesOn } = await started();
  authority.fault = (path, _request, response) => {
    return path === "/order-plz" && problem(response, 429, "rateLimited", { "Retry-After": "7200" });
  };
  await renew();
  const { error, retryAt } = await failed();
  expect(error).toMatchObject({ code: "LB_ACME_RATE_LIMITED" });
  const inMs = Date.parse(retryAt) - Date.now();
  expect(inMs).toBeGreaterThan(7_100_000);
  expect(inMs).toBeLessThan(7_200_000 * 1.25);
  const asked = authority.asked.length;
  const { acme } = (await cluster.primary.status()).https!;
  expect(acme).toMatchObject({ state: "failed", attempts: 1, renewsAt: retryAt });
  await servesOn();
  expect(authority.asked.length).toBe(asked);
  await expect
    .poll(() => cluster.primary.log)
    .toContain("no certificate came, what there is serves on: The order: rateLimited, for a test; next attempt at");

  const faults: readonly [string, (path: string, request: IncomingMessage, response: ServerResponse) => boolean][] = [
    ["LB_ACME_UNREACHABLE", (_path, request) => request.socket.destroy() && true],
    ["LB_ACME_UNREACHABLE", (_path, _request, response) => response.writeHead(503).end() && true],
    ["LB_ACME_ANSWER", (_path, _request, response) => response.end("<html>") && true],
    [
      "LB_ACME_ANSWER",
      (path, _request, response) => path === "/dir" && json(response, 200, { newNonce: "http://elsewhere/" }),
    ],
    ["LB_ACME_UNREACHABLE", (_path, _request, response) => response.end("x".repeat(2_000_000)) && true],
    [
      "LB_ACME_CHALLENGE",
      (path, _request, response) =>
        path.startsWith("/my-order/") && json(response, 200, { status: "invalid", error: { detail: "no, thank you" } }),
    ],
    [
      "LB_ACME_ANSWER",
      (path, _request, response) => path.startsWith("/certZ/") && response.writeHead(200).end("no certificate") && true,
    ],
  ];
  for (const [at, [code, fault]] of faults.entries()) {
    authority.fault = fault;
    await cluster.primary.operate("reloadCertificates");
    expect((await failed(at + 2)).error, String(fault)).toMatchObject({ code });
    await servesOn();
  }
  authority.fault = () => false;
  await cluster.primary.operate("reloadCertificates");
  const before = (await cluster.peer("a.example")).serialNumber;
  await expect.poll(async () => (await cluster.peer("a.example")).serialNumber).not.toBe(before);
});

test("FAULTS 61: an account that was deactivated is told with the remedy; one that the authority has forgotten is made anew", async () => {
  const { ports, authority, cluster, serial, folder, renew, failed, servesOn } = await started();
  const account = JSON.parse(readFileSync(join(folder, "account.json"), "utf8")) as { key: string; url: string };
  const { directory, ca } = authority;
  const transport = new Transport({ ca, clock: systemClock, signal: new AbortController().signal });
  await new Authority({ url: directory, transport, wallClock: Date.now }).post({
    url: account.url,
    key: createPrivateKey(account.key),
    account: account.url,
    payload: { status: "deactivated" },
    what: "The account",
  });
  await renew();
  expect((await failed()).error).toMatchObject({ code: "LB_ACME_ACCOUNT" });
  await expect.poll(() => cluster.primary.log).toContain(join(folder, "account.json"));
  await servesOn();

  authority.target = await startPebble({ httpPort: ports.port, tlsPort: ports.httpsPort });
  await cluster.primary.operate("reloadCertificates");
  await expect.poll(async () => (await cluster.peer("a.example")).serialNumber).not.toBe(serial);
  expect(JSON.parse(readFileSync(join(folder, "account.json"), "utf8"))).toMatchObject({ key: account.key });
});

test("FAULTS 61: a certificate that the disk has no room for serves all the same, and is asked for once", async () => {
  // Files of two blocks: the account has room there, and the chain has not.
  const { cluster, authority, serial, folder, failed } = await started({ process: { shell: "ulimit -f 2" } });
  await expect.poll(() => cluster.primary.log).toMatch(/cannot be used: EFBIG.*the option "https.acme.storage"/);
  await cluster.primary.operate("reloadCertificates");
  expect((await failed(2)).error).toMatchObject({ code: "LB_ACME_STORAGE" });
  expect((await cluster.peer("a.example")).serialNumber).toBe(serial);
  expect(authority.orders).toBe(1);
  expect(readdirSync(join(folder, "a.example"))).toEqual([]);
});

test("FAULTS 61: an authority that nobody knows is not believed, and the remedy is said", async () => {
  const ports = await publicPorts();
  const authority = await AuthorityProxy.start({ directory: "https://127.0.0.1:1/dir", ca: "" });
  const unknown = { directory: authority.directory, ca: ownCertificate().cert };
  const cluster = new AcmeCluster({ ...ports, authority: unknown, storage: storageFolder() });
  await cluster.primary.up();
  await expect.poll(() => cluster.primary.log).toMatch(/handshakes are refused: .* by the option "https\.acme\.ca"/);
  expect(authority.asked).toEqual([]);
});

test("FAULTS 61: a storage that is none ends the start", async () => {
  const ports = await publicPorts();
  const authority = { directory: "https://127.0.0.1:1/dir", ca: ownCertificate().cert };
  const folder = storageFolder();
  writeFileSync(join(folder, "file"), "");
  const none = await new AcmeCluster({ ...ports, authority, storage: join(folder, "file") }).primary.failed();
  expect(none).toMatchObject({
    code: "LB_ACME_STORAGE",
    message: expect.stringMatching(/cannot be used: .*https\.acme\.storage/),
  });
});
