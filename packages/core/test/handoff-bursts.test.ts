// Storms of connections, and workers that take none for a while: who belongs somewhere waits, nobody is refused.
import { expect, test } from "vitest";
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
  const connected = (length: number) => Promise.all(Array.from({ length }, () => RawClient.ofTest(clients.port)));
  const travelling = await RawClient.ofTest(clients.port);
  const [fresh, others, late] = [await connected(20), await connected(10), await connected(10)] as const;
  blocked.send(clients.request("GET /block?ms=2700 HTTP/1.1"));
  await blocked.until(() => blocked.pending.includes("blocks"));
  const ask = (client: RawClient) => client.send(clients.request("GET /who HTTP/1.1"));
  const answering = async (client: RawClient) => JSON.parse((await client.response()).body.toString()).id;
  // What is in the channel to the blocked one cannot be called back.
  ask(travelling);
  await clients.at("1");
  const startedAt = performance.now();
  for (const client of others) client.send("GET /who HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const client of [...fresh, ...kept]) ask(client);
  expect(await Promise.all(others.map(answering))).toEqual(others.map(() => "1"));
  expect(performance.now() - startedAt).toBeLessThan(2_600);
  // Now it is known that it takes nothing.
  const waiting = [travelling, ...fresh, ...kept, ...late.map(ask)];
  expect(await Promise.all(waiting.map(answering))).toEqual(waiting.map(() => "2"));
  // Whose connection is new has waited at the front; those whose connection was elsewhere had their request relayed.
  await (await clients.relayed("GET /who HTTP/1.1")).response();
  const relayed = async () => (await clients.primary.status()).instances.map((instance) => instance.relayed);
  await expect.poll(relayed).toEqual([kept.length + 1, 0]);
});

test("a blocked worker that is told to leave: who waited for it is answered by another one, at once", async () => {
  const clients = await RelayedClients.start();
  const blocked = await clients.at("2");
  const waiting = await Promise.all(Array.from({ length: 20 }, () => RawClient.ofTest(clients.port)));
  const travelling = await RawClient.ofTest(clients.port);
  blocked.send(clients.request("GET /block?ms=3000 HTTP/1.1"));
  await blocked.until(() => blocked.pending.includes("blocks"));
  const startedAt = performance.now();
  travelling.send(clients.request("GET /who HTTP/1.1"));
  await clients.at("1");
  for (const client of waiting) client.send(clients.request("GET /who HTTP/1.1"));
  const answering = async (client: RawClient) => JSON.parse((await client.response()).body.toString()).id;
  const scaled = clients.primary.operate("scale", 1);
  expect(await Promise.all(waiting.map(answering))).toEqual(waiting.map(() => "1"));
  expect(performance.now() - startedAt).toBeLessThan(2_900);
  // What was in the channel to it already is answered there, before it ends.
  expect(await answering(travelling)).toBe("2");
  await scaled;
  expect((await clients.primary.status()).instances).toMatchObject([{ id: 1, state: "ready", failures: 0 }]);
});
