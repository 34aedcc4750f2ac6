// Certificates are renewed when the authority wishes, under load and by one process for all. FAULTS 60 and 61.
import { once } from "node:events";
import { Agent, get } from "node:https";
import { text } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { AcmeCluster, publicPorts, storageFolder } from "./support/acme-cluster.ts";
import { AuthorityProxy } from "./support/authority-proxy.ts";
import { startPebble } from "./support/pebble.ts";

const [day, year] = [86_400_000, 365 * 86_400_000];
const past = { start: new Date(Date.now() - 2 * day), end: new Date(Date.now() - day) };
const future = { start: new Date(Date.now() + year), end: new Date(Date.now() + year + day) };

test.each([
  ["http-01", "proxy"],
  ["tls-alpn-01", "proxy"],
  ["tls-alpn-01", "handoff"],
])(
  "FAULTS 60: renewed by %s under load in mode %s, no handshake fails, no connection closes, sessions are resumed",
  async (challenge, mode) => {
    const ports = await publicPorts();
    const authority = await AuthorityProxy.start(await startPebble({ httpPort: ports.port, tlsPort: ports.httpsPort }));
    authority.renewal = () => future;
    const cluster = new AcmeCluster({
      ...ports,
      authority,
      storage: storageFolder(),
      acme: { challenge },
      options: { mode },
    });
    const first = await cluster.certified();
    await expect.poll(() => renewsIn(cluster, future)).toBe(true);

    const agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });
    onTestFinished(() => agent.destroy());
    const kept = new Set<unknown>();
    let running = true;
    const serials = new Set<string>();
    const connecting = Array.from({ length: 4 }, async () => {
      while (running) serials.add((await cluster.peer("a.example")).serialNumber);
    });
    const asking = Array.from({ length: 8 }, async () => {
      while (running) {
        const sent = get({ agent, port: ports.httpsPort, host: "127.0.0.1", servername: "a.example", path: "/" });
        const [response] = await once(sent, "response");
        kept.add(response.socket);
        expect(await text(response)).toMatch(/^\d+ \/$/);
      }
    });
    const { socket, session } = await resumable(ports.httpsPort);
    await expect.poll(() => serials.size).toBe(1);

    authority.renewal = (name) => (isNameOf(name, first) ? past : future);
    await cluster.primary.operate("reloadCertificates");
    await expect.poll(() => serials.size).toBe(2);
    running = false;
    await Promise.all([...connecting, ...asking]);
    expect(kept.size).toBe(8);
    expect(socket.destroyed).toBe(false);
    expect(cluster.primary.log).not.toContain("no certificate came");
    expect(authority.orders).toBe(2);
    const again = connect({
      port: ports.httpsPort,
      host: "127.0.0.1",
      servername: "a.example",
      session,
      rejectUnauthorized: false,
    });
    onTestFinished(() => void again.destroy());
    await once(again, "secureConnect");
    expect(again.isSessionReused()).toBe(true);
  },
);

/** A certificate's name ends with its serial number. */
function isNameOf(name: string, serial: string): boolean {
  return Buffer.from(name.split(".")[1]!, "base64url").toString("hex").replace(/^00/, "") === serial.toLowerCase();
}

/** The authority was asked when, and has said so. */
async function renewsIn(cluster: AcmeCluster, { start, end }: typeof future): Promise<boolean> {
  const at = Date.parse((await cluster.primary.status()).https!.acme!.renewsAt ?? "");
  return at >= start.getTime() && at < end.getTime();
}

/** An open connection, and what resumes its session. */
async function resumable(port: number): Promise<{ readonly socket: TLSSocket; readonly session: Buffer }> {
  const socket = connect({ port, host: "127.0.0.1", servername: "a.example", rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  const [session] = (await once(socket, "session")) as [Buffer];
  return { socket, session };
}

test("FAULTS 61: two primaries of one name, whichever of them is asked for the proof, make one order each time", async () => {
  const [one, two] = [await publicPorts(), await publicPorts()];
  // Proofs are asked of the first one, whoever has ordered.
  const authority = await AuthorityProxy.start(await startPebble({ httpPort: one.port, tlsPort: one.httpsPort }));
  authority.renewal = () => future;
  const storage = storageFolder();
  const clusters = [one, two].map(
    (ports) => new AcmeCluster({ ...ports, authority, storage, acme: { challenge: "http-01" } }),
  );
  const [serial, other] = await Promise.all(clusters.map((cluster) => cluster.certified()));
  expect(other).toBe(serial);
  expect(authority.orders).toBe(1);

  for (const cluster of clusters) await expect.poll(() => renewsIn(cluster, future)).toBe(true);
  authority.renewal = (name) => (isNameOf(name, serial!) ? past : future);
  await Promise.all(clusters.map(({ primary }) => primary.operate("reloadCertificates")));
  for (const cluster of clusters)
    await expect.poll(async () => (await cluster.peer("a.example")).serialNumber).not.toBe(serial);
  const [renewed, same] = await Promise.all(clusters.map((cluster) => cluster.peer("a.example")));
  expect(same!.serialNumber).toBe(renewed!.serialNumber);
  expect(authority.orders).toBe(2);
});
