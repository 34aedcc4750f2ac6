import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type ConnectionOptions, connect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { maxHelloBytes, readClientHello } from "./client-hello.ts";

/** What Node says first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = connect({ ...options, port: (server.address() as { port: number }).port, host: "127.0.0.1" });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  return bytes;
}

test.each<ConnectionOptions>([
  { servername: "A.Example", ALPNProtocols: ["h2", "http/1.1"] },
  { servername: "a.example", ALPNProtocols: ["acme-tls/1"], maxVersion: "TLSv1.2" },
  { ALPNProtocols: ["http/1.1"] },
  { servername: "a.example" },
])("a ClientHello of %j says what it says, however it is cut", async (options) => {
  const bytes = await helloOf(options);
  const hello = { serverName: options.servername?.toLowerCase(), protocols: options.ALPNProtocols ?? [] };
  expect(readClientHello(bytes)).toEqual({ kind: "hello", hello });
  for (let length = 0; length < bytes.length; length += 1) {
    expect(readClientHello(bytes.subarray(0, length))).toEqual({ kind: "partial" });
  }
  // In records of ten bytes.
  const records: Buffer[] = [];
  for (let at = 5; at < bytes.length; at += 10) {
    const piece = bytes.subarray(at, at + 10);
    records.push(Buffer.of(22, 3, 1, 0, piece.length), piece);
  }
  expect(readClientHello(Buffer.concat(records))).toEqual({ kind: "hello", hello });
});

test.each([
  ["a request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a record without anything in it", Buffer.of(22, 3, 1, 0, 0)],
  ["a message of another kind", Buffer.of(22, 3, 1, 0, 4, 2, 0, 0, 0)],
  ["one that is too long", Buffer.of(22, 3, 1, 0x40, 0, 1, 0, 0x50, 0)],
  ["one that ends too early", Buffer.of(22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0)],
])("%s is none", (_what, bytes) => {
  expect(readClientHello(bytes)).toEqual({ kind: "invalid" });
});

test("whatever comes, it is read or refused", () => {
  const bytes = Buffer.alloc(maxHelloBytes + 10, 22);
  expect(readClientHello(bytes).kind).toBe("invalid");
  for (let seed = 1; seed < 2_000; seed += 1) {
    const noise = Buffer.alloc(64, 0);
    for (let at = 0; at < 64; at += 1) noise[at] = (seed * (at + 7) * 2_654_435_761) >>> 13;
    readClientHello(Buffer.concat([Buffer.of(22, 3, 1, 0, 64, 1, 0, 0, 60), noise]));
  }
});
