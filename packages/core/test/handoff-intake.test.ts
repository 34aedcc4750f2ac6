// The worker's side against messages that should not be, and a Node that cannot do what is asked.
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { internalMark } from "../src/ipc/internal-message.ts";
import { HandoffFront, type HandoffFrontOptions, type HandoffWorker } from "./support/handoff-front.ts";
import { RawClient } from "./support/raw-client.ts";

const key = "@lb/core/handoff";

async function start(options: Partial<HandoffFrontOptions> = {}) {
  const front = new HandoffFront({ workers: 1, ...options });
  onTestFinished(() => front.close());
  const port = await front.start();
  const [worker] = front.workers as [HandoffWorker];
  /** Of which the worker's intake knows. */
  const connections = () =>
    new Promise((resolve) => {
      const listen = (raw: unknown) => {
        if (typeof raw !== "object" || raw === null || !("connections" in raw)) return;
        worker.child.off("message", listen);
        resolve(raw.connections);
      };
      worker.child.on("message", listen);
      worker.child.send("connections");
    });
  return { front, port, worker, connections };
}

const get = "GET /who HTTP/1.1\r\nHost: a\r\n\r\n";

test("BAD-INPUTS 113, 116: malformed messages and connections without a socket are left out, and the rest goes on", async () => {
  const { port, worker, connections } = await start();
  worker.child.send({ ...internalMark, [key]: { head: 1 } });
  worker.child.send({ ...internalMark, [key]: { most: "a few" } });
  worker.child.send({ ...internalMark, [key]: { head: get } });
  expect(await connections()).toBe(0);
  const client = await RawClient.ofTest(port);
  expect((await client.send(get).response()).status).toBe(200);
  expect(await connections()).toBe(1);
});

test("a socket that comes with a malformed message is closed, not kept", async () => {
  const { front, worker, connections } = await start();
  const address = front.server.address();
  const socket = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  await once(socket, "connect");
  const [connection] = front.connections;
  worker.child.send({ ...internalMark, [key]: { head: 7 } }, socket);
  // The client's own end was sent; with it closed there, the connection is over.
  await expect.poll(() => front.connections.has(connection!)).toBe(false);
  expect(await connections()).toBe(0);
});

test("a Node that cannot give connections back says so once, and goes on serving them", async () => {
  const { port, worker } = await start({ env: { HANDOFF_CHANGED_PARSER: "yes" } });
  const client = await RawClient.ofTest(port);
  expect((await client.send(get).response()).status).toBe(200);
  worker.lane.requestReturn(1);
  worker.lane.requestReturn("all");
  await expect.poll(() => worker.refusals).toHaveLength(1);
  expect((await client.send(get).response()).status).toBe(200);
  worker.lane.requestReturn("all");
  expect((await client.send(get).response()).status).toBe(200);
  expect(worker.refusals).toEqual([
    expect.stringMatching(/^Node v\d.* cannot give connections back: The HTTP parser does not tell/),
  ]);
});
