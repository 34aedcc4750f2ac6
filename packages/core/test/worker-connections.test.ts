import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import { Connections } from "../src/worker/connections.ts";
import { RawClient } from "./support/raw-client.ts";

async function serve(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

async function clientOf(port: number): Promise<RawClient> {
  const client = await RawClient.ofTest(port);
  return client;
}

it("ends connections that are idle for the grace, and neither tunnels nor those with an answer in progress", async () => {
  let answer = () => {};
  const server = createServer((request, response) => {
    if (request.url === "/slow") answer = () => response.end("slow");
    else response.end("at once");
  });
  const connections = new Connections(server);
  // As the gate of hand-off mode does: an upgrade for another instance, of which nobody hears behind it.
  const { emit } = server;
  let relayed: Duplex | undefined;
  server.emit = ((name: string, ...args: unknown[]) => {
    if (name === "upgrade") {
      relayed = args[1] as Duplex;
      relayed.resume().write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n");
      return true;
    }
    return Reflect.apply(emit, server, [name, ...args]);
  }) as Server["emit"];
  server.on("upgrade", () => {});
  const port = await serve(server);
  const [idle, unused, slow, tunnel] = [
    await clientOf(port),
    await clientOf(port),
    await clientOf(port),
    await clientOf(port),
  ];
  await idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response();
  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  await tunnel.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n").response();
  await expect.poll(() => connections.size).toBe(4);
  const end = (now: number) => connections.endIdle({ now, graceMs: 1_000, except: () => false });
  end(0);
  end(999);
  expect(connections.size).toBe(4);
  end(1_000);
  await Promise.all([idle.closed, unused.closed]);
  expect(connections.size).toBe(2);
  answer();
  expect((await slow.response()).body.toString()).toBe("slow");
  relayed!.end("still open");
  await tunnel.closed;
  expect(tunnel.pending.toString()).toBe("still open");
});
