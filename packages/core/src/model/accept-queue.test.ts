import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { emptyAcceptQueue } from "./accept-queue.ts";

it("takes in all that wait, however slowly the process gets on", async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: 20 }, () => connect(port, "127.0.0.1"));
  for (const client of clients) onTestFinished(() => void client.destroy());
  // They ask the kernel now, which has them all before the loop looks for what arrived.
  await new Promise<void>((resolve) => process.nextTick(resolve));

  const slowly = () => {
    for (const until = performance.now() + 12; performance.now() < until; );
    return accepted;
  };
  await emptyAcceptQueue(slowly);
  expect(accepted).toBe(20);
});

it("does not wait for ever where more come all the time", async () => {
  let accepted = 0;
  await emptyAcceptQueue(() => {
    accepted += 1;
    return accepted;
  });
  expect(accepted).toBeLessThan(5_000);
});
