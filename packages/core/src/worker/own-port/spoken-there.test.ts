import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { systemClock } from "../../model/clock.ts";
import { assureHttp1 } from "./spoken-there.ts";

async function listening(server: Server) {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {})));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { host: "127.0.0.1", port: (server.address() as { port: number }).port };
}

test.each([
  ["an HTTP server", () => createHttpServer((_, response) => response.end("x".repeat(100_000)))],
  ["one that answers 404 to all", () => createHttpServer((_, response) => response.writeHead(404).end())],
  ["one that cuts off who is not known to it", () => createHttpServer((request) => request.socket.destroy())],
  [
    "one that answers in pieces",
    () =>
      createServer((socket) => {
        socket.write("HT");
        setImmediate(() => socket.end("TP/1.0 200"));
      }),
  ],
])("takes %s", async (_, server) => {
  await assureHttp1(await listening(server()), systemClock);
});

test.each([
  ["HTTP/2", () => createHttp2Server(), "speaks HTTP/2 only"],
  [
    "what answers with an alert",
    () => createServer((socket) => socket.end(Buffer.from("15030300020228", "hex"))),
    "TLS only",
  ],
  ["anything else", () => createServer((socket) => socket.end("220 mail\r\n")), 'no HTTP server: it says "220 mail'],
])("refuses %s", async (_, server, why) => {
  const at = await listening(server());
  await expect(assureHttp1(at, systemClock)).rejects.toMatchObject({
    code: "LB_APP_PROTOCOL",
    message: expect.stringContaining(why),
  });
});

test("does not judge one that says nothing", async () => {
  const clock = new ManualClock();
  const heard: string[] = [];
  const at = await listening(createServer((socket) => socket.on("data", (bytes) => heard.push(bytes.toString("hex")))));
  const assured = assureHttp1(at, clock);
  await expect.poll(() => heard.length).toBe(1);
  clock.advance(1_000);
  // A TLS handshake.
  await expect.poll(() => heard[1]).toMatch(/^1603/);
  clock.advance(1_000);
  await assured;
  expect(clock.pending).toBe(0);
});
