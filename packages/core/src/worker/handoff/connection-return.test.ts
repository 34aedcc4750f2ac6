// The internals of Node that this file touches, on the Node that runs the tests; `test/handoff-moves.test.ts` has real
// workers give connections back on all that are supported.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { returnConnection, whyNotReturnable } from "./connection-return.ts";

async function open(prepare: (server: Server) => void = () => {}) {
  const server = createServer((_, response) => response.end("ok"));
  prepare(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { client, socket, server };
}

/** Its answer, and what Node tidies up after it. */
async function exchange(client: Socket): Promise<void> {
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(client, "data");
  await nextTurn();
}

const keep: Socket[] = [];
const giveBack = (socket: Socket) => returnConnection(socket, (sent) => keep.push(sent));

test("this Node can", () => {
  expect(whyNotReturnable()).toBeUndefined();
});

test("a connection between two requests is sent, and closed for all who hold it here", async () => {
  const { client, socket } = await open();
  await exchange(client);
  const closed = once(socket, "close");
  expect(giveBack(socket)).toBe("returned");
  expect(keep.at(-1)).toBe(socket);
  await closed;
  expect(giveBack(socket)).toBe("busy");
});

test("one on which nothing ever came is sent too", async () => {
  const { socket } = await open();
  expect(giveBack(socket)).toBe("returned");
});

test("one with the beginning of a request is not, and is none the worse for having been asked", async () => {
  const { client, socket } = await open();
  await exchange(client);
  for (const piece of ["G", "ET / HTTP/1.1\r\nHos", "t: a\r\n", "\r"]) {
    const before = socket.bytesRead;
    client.write(piece);
    await eventually(() => socket.bytesRead > before, { what: "the piece is read" });
    expect(giveBack(socket)).toBe("busy");
  }
  client.write("\n");
  expect(String((await once(client, "data"))[0])).toContain("200 OK");
  await nextTurn();
  expect(giveBack(socket)).toBe("returned");
});

test("one with a body still to come is not", async () => {
  const { client, socket } = await open();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
  await once(client, "data");
  await nextTurn();
  expect(giveBack(socket)).toBe("busy");
  const before = socket.bytesRead;
  client.write("bc");
  await eventually(() => socket.bytesRead > before, { what: "the rest is read" });
  await nextTurn();
  expect(giveBack(socket)).toBe("returned");
});

test("one whose response is not yet out is not", async () => {
  const { client, socket } = await open((server) =>
    server.removeAllListeners("request").on("request", (_, response) => response.end(Buffer.alloc(30_000_000))),
  );
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.pause();
  await eventually(() => socket.writableLength > 0, { what: "it is being written" });
  expect(giveBack(socket)).toBe("busy");
});

test("one that is closing, and one that somebody else reads, are not", async () => {
  const ending = await open();
  ending.socket.end();
  expect(giveBack(ending.socket)).toBe("busy");
  const read = await open();
  read.socket.on("data", () => {});
  expect(giveBack(read.socket)).toBe("busy");
});

test("an upgraded one is not", async () => {
  const { client, socket, server } = await open((http) =>
    http.on("upgrade", (_request, upgraded) => upgraded.write("HTTP/1.1 101 Switching Protocols\r\n\r\n")),
  );
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  await once(client, "data");
  expect(giveBack(socket)).toBe("busy");
  expect(server.listening).toBe(true);
  socket.destroy();
});

test("a Node whose parser or handle has changed gets an answer, not an exception", async () => {
  const { client, socket } = await open();
  await exchange(client);
  const inside = socket as unknown as { parser: object; _handle: object };
  const { parser, _handle } = inside;
  for (const changed of [{ parser: {} }, { parser: undefined }, { _handle: {} }]) {
    // Own properties over what the prototype may have as accessors.
    const fake = Object.create(socket) as Socket;
    for (const [name, value] of Object.entries(changed)) Object.defineProperty(fake, name, { value });
    expect(giveBack(fake)).toBe("unsupported");
  }
  expect({ parser: inside.parser, _handle: inside._handle }).toEqual({ parser, _handle });
  expect(giveBack(socket)).toBe("returned");
});
