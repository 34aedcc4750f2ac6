import { createServer } from "node:http";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { noteInstance } from "../src/index.ts";

afterEach(() => vi.unstubAllEnvs());

async function connectedTo(): Promise<unknown> {
  const server = createServer();
  const io = new Server(server);
  noteInstance(io);
  const seen = new Promise((resolve) => io.on("connection", (socket) => resolve(socket.data.instance)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(async () => {
    client.close();
    await io.close();
  });
  return seen;
}

test("each connection knows the instance that serves it", async () => {
  const variables = { INSTANCE_ID: "2", NODE_APP_INSTANCE: "1", PORT: "3002", HOST: "127.0.0.1" };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  expect(await connectedTo()).toBe(2);
});

test("outside a cluster nothing is noted", async () => {
  vi.stubEnv("INSTANCE_ID", undefined);
  expect(await connectedTo()).toBeUndefined();
});
