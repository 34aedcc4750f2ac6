// Storms of connections, and workers that take none for a while: who belongs somewhere waits, nobody is refused.
import { expect, onTestFinished, test } from "vitest";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";
import { RelayedClients } from "./support/relayed-clients.ts";

const upgrade =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** So many connections at once, each with this request; the statuses of what they get, and how often. */
async function storm(port: number, count: number, request: string): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  await Promise.all(
    Array.from({ length: count }, async () => {
      const client = await RawClient.ofTest(port);
      const { status } = await client.send(request).response();
      statuses[status] = (statuses[status] ?? 0) + 1;
    }),
  );
  return statuses;
}

test("4,000 requests at once, each on a connection of its own, and then 3,000 WebSockets", {
  timeout: 60_000,
}, async () => {
  const primary = new PrimaryProcess("handoff-relay-app.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode: "handoff", instances: 2 }) },
  });
  const { port } = await primary.up();
  expect(await storm(port, 4_000, "GET /status?code=200 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toEqual({
    200: 4_000,
  });
  expect(await storm(port, 3_000, `GET /socket HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`)).toEqual({ 101: 3_000 });
  expect(primary.events.filter(({ name }) => name === "connections-refused")).toEqual([]);
  expect((await primary.status()).instances.every(({ failures }) => failures === 0)).toBe(true);
});

test("a worker that is blocked for a while: those who belong there wait, on new connections and on others", async () => {
  const clients = await RelayedClients.start();
  const kept = await Promise.all(Array.from({ length: 5 }, () => clients.at("1")));
  const blocked = await clients.at("2");
  blocked.send(clients.request("GET /block?ms=900 HTTP/1.1"));
  await blocked.until(() => blocked.pending.includes("blocks"));
  const fresh = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(clients.port)));
  const others = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(clients.port)));
  for (const client of [...fresh, ...others]) onTestFinished(() => client.destroy());
  for (const client of [...fresh, ...kept]) client.send(clients.request("GET /who HTTP/1.1"));
  for (const client of others) client.send("GET /who HTTP/1.1\r\nHost: x\r\n\r\n");
  const answering = async (client: RawClient) => JSON.parse((await client.response()).body.toString()).id;
  const startedAt = performance.now();
  const elsewhere = await Promise.all(others.map(answering));
  const waitedMs = performance.now() - startedAt;
  expect(await Promise.all(fresh.map(answering))).toEqual(fresh.map(() => "2"));
  expect(await Promise.all(kept.map(answering))).toEqual(kept.map(() => "2"));
  // One of them may have been on its way to the blocked one already.
  expect(elsewhere.filter((id) => id === "1").length).toBeGreaterThanOrEqual(9);
  expect(waitedMs).toBeLessThan(2_000);
});
