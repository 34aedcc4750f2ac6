// Certificates of a real authority, Debian's pebble, for clusters that have none.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AcmeCluster, publicPorts, storageFolder } from "./support/acme-cluster.ts";
import { startPebble } from "./support/pebble.ts";

const nowhere = 1;

/** Of all in a folder, what others may do with it. */
function modes(folder: string): readonly [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => {
    const { mode } = statSync(join(folder, name));
    return [name.replace(/-\d+-/, "-…-"), (mode & 0o777).toString(8)];
  });
}

test("one is proved over HTTP, before the redirect and for any host, kept by nobody but us, and used at the next start without an authority", async () => {
  const ports = await publicPorts();
  const storage = storageFolder();
  const authority = await startPebble({ httpPort: ports.port, tlsPort: nowhere });
  const options = { http: "redirect", allowedHosts: ["other.example"] };
  const given = { ...ports, authority, storage, options, acme: { challenge: "http-01" } };
  const cluster = new AcmeCluster(given);
  await cluster.primary.up();
  await expect.poll(() => cluster.primary.log).toContain("certificates renewed: a.example until ");
  const shown = await cluster.peer("a.example", { ca: await authority.root(), rejectUnauthorized: true });
  expect(shown.subjectaltname).toBe("DNS:a.example");
  const { https } = await cluster.primary.status();
  expect(https).toMatchObject({
    certificates: [
      { names: ["a.example"], source: "acme", issuer: expect.stringMatching(/^CN=Pebble Intermediate CA/) },
    ],
    acme: {
      domains: ["a.example"],
      state: "kept",
      attempts: 0,
      error: null,
      renewsAt: expect.stringMatching(/^20\d\d-/),
    },
  });
  expect(modes(storage).filter(([name]) => !name.includes("lock"))).toEqual([
    ["127.0.0.1-…-dir", "700"],
    ["127.0.0.1-…-dir/a.example", "700"],
    ["127.0.0.1-…-dir/account.json", "600"],
    ["127.0.0.1-…-dir/challenges.json", "600"],
    ["127.0.0.1-…-dir/a.example/certificate.pem", "600"],
  ]);
  expect(cluster.primary.log).not.toContain("PRIVATE");
  cluster.primary.kill("SIGTERM");
  await cluster.primary.exited;

  await authority.stop();
  const again = new AcmeCluster(given);
  const { https: atOnce } = await again.primary.up();
  expect(atOnce!.acme).toMatchObject({ state: "kept" });
  expect((await again.peer("a.example")).serialNumber).toBe(shown.serialNumber);
  expect(again.primary.log).not.toContain("asking");
});

test("several names are proved by handshakes, while clients go on making theirs", async () => {
  const ports = await publicPorts();
  const authority = await startPebble({ httpPort: nowhere, tlsPort: ports.httpsPort });
  const domains = ["a.example", "b.example"];
  const acme = { challenge: "tls-alpn-01" };
  const cluster = new AcmeCluster({ ...ports, authority, storage: storageFolder(), domains, acme });
  await cluster.primary.up();
  await expect.poll(() => cluster.primary.log).toContain("certificates renewed: a.example and b.example");
  const root = await authority.root();
  for (const name of domains) await cluster.peer(name, { ca: root, rejectUnauthorized: true });
  // The protocol of the question is nobody else's, once the proof has been taken back.
  const asked = () =>
    cluster.peer("a.example", { ALPNProtocols: ["acme-tls/1"] }).then(
      () => "answered",
      (error: Error) => error.message,
    );
  await expect.poll(asked).toMatch(/no application protocol/i);
});

test("until there is one, handshakes are refused; what could not be proved one way is proved the other, when somebody asks for it", async () => {
  const ports = await publicPorts();
  const authority = await startPebble({ httpPort: nowhere, tlsPort: ports.httpsPort });
  const cluster = new AcmeCluster({ ...ports, authority, storage: storageFolder() });
  await cluster.primary.up();
  await expect.poll(() => cluster.primary.log).toContain("no certificate came");
  const { acme } = (await cluster.primary.status()).https!;
  expect(acme).toMatchObject({
    state: "failed",
    attempts: 1,
    error: expect.stringContaining("a.example could not be proved by http-01"),
  });
  const inMs = Date.parse(acme!.renewsAt!) - Date.now();
  expect(inMs).toBeGreaterThan(50_000);
  expect(inMs).toBeLessThan(75_001);
  await expect(cluster.peer("a.example")).rejects.toThrow(/handshake failure/i);
  await cluster.primary.operate("reloadCertificates");
  await cluster.events("certificates-renewed", 1);
  expect((await cluster.peer("a.example")).subjectaltname).toBe("DNS:a.example");
});

test("an authority with customers takes an account that is bound to one of theirs, and no other", async () => {
  const ports = await publicPorts();
  const hmacKey = Buffer.from("a key of thirty-two bytes, really").toString("base64url");
  const authority = await startPebble({ httpPort: ports.port, tlsPort: ports.httpsPort, eab: { "kid-1": hmacKey } });
  const wrong = new AcmeCluster({ ...ports, authority, storage: storageFolder() });
  await wrong.primary.up();
  await expect.poll(() => wrong.primary.log).toContain("no certificate came");
  await expect.poll(() => wrong.primary.log).toContain("The account: ");
  await wrong.primary.close(0);
  const storage = storageFolder();
  const right = new AcmeCluster({ ...ports, authority, storage, acme: { eab: { keyId: "kid-1", hmacKey } } });
  await right.primary.up();
  await expect.poll(() => right.primary.log).toContain("certificates renewed");
  const [folder] = readdirSync(storage);
  expect(JSON.parse(readFileSync(join(storage, folder!, "account.json"), "utf8"))).toMatchObject({
    url: expect.stringContaining(authority.directory.replace("/dir", "")),
  });
  expect(right.primary.log).not.toContain(hmacKey);
});
