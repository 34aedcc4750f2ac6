import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { HandedConnection } from "./handed-connection.ts";
import { HandoffReturn } from "./handoff-return.ts";

/** So many connections of an HTTP server that have had no request, and what of them was sent. */
async function returning(count: number) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const connections = new Set<HandedConnection>();
  for (let each = 0; each < count; each++) {
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {});
    onTestFinished(() => void client.destroy());
    const [socket] = (await once(server, "connection")) as [Socket];
    connections.add(new HandedConnection(socket, undefined));
  }
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const clock = new ManualClock();
  const sent: Socket[] = [];
  /** Node waits for the receipt of what was sent last. */
  const node = { awaitsReceipt: false };
  const giving = new HandoffReturn({
    clock,
    connections,
    send: (socket) => void sent.push(socket),
    wouldQueue: () => node.awaitsReceipt,
    impossible: (detail) => expect.fail(detail),
  });
  return { clock, sent, node, giving };
}

test("one at a time: the next when the primary has the last", async () => {
  const { sent, giving } = await returning(3);
  giving.request("all");
  expect(sent).toHaveLength(1);
  giving.taken();
  expect(sent).toHaveLength(2);
  giving.stop();
});

test("an answer that comes after it was given up does not send one into Node's queue, where it would be lost", async () => {
  const { clock, sent, node, giving } = await returning(4);
  giving.request("all");
  clock.advance(1_000);
  await nextTurn();
  expect(sent).toHaveLength(2);
  node.awaitsReceipt = true;
  // That of the first.
  giving.taken();
  expect(sent).toHaveLength(2);
  node.awaitsReceipt = false;
  giving.taken();
  expect(sent).toHaveLength(3);
  giving.stop();
});

test("a handle of the app's is waited for, and looked for again", async () => {
  const { clock, sent, node, giving } = await returning(1);
  node.awaitsReceipt = true;
  giving.request(1);
  expect(sent).toHaveLength(0);
  node.awaitsReceipt = false;
  clock.advance(1_000);
  await nextTurn();
  expect(sent).toHaveLength(1);
  giving.stop();
});
