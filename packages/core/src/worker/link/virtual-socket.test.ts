import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { type MemoryEnd, MemoryWire, memoryEnd, RecordingEnd } from "../../../test/support/memory-link.ts";
import { LinkSession } from "../../link/link-session.ts";
import { unwatchResponses, watchResponses } from "./response-watch.ts";
import { VirtualSocket } from "./virtual-socket.ts";

const windowBytes = 1_000;
const hello = { windowBytes, maxStreams: 100 };
const client = { address: "2001:db8::7", port: 50_000, encrypted: true };
const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A front's end, and a worker's end that makes virtual sockets. */
function connect(onOpen: (socket: VirtualSocket) => void) {
  const clock = new ManualClock();
  const front: MemoryEnd = memoryEnd("front", hello);
  const wire = new MemoryWire();
  const session: LinkSession = new LinkSession({
    side: "worker",
    wire,
    hello,
    owner: {
      accept: (client) =>
        new VirtualSocket({
          link: session,
          client,
          local: { address: "127.0.0.1", port: 3_001, family: "IPv4" },
          clock,
          onOpen,
        }).stream,
      onReady() {},
      onGoaway() {},
      onLastStream() {},
      onDown() {},
    },
  });
  wire.session = session;
  wire.reader = front.wire;
  front.wire.reader = wire;
  /** Moves bytes and lets the stream machinery's ticks run, until all is quiet. */
  const settle = async () => {
    for (let quiet = 0; quiet < 3; ) {
      const moved = [front.wire, wire].map((end) => end.endTurn() || end.deliver(Number.POSITIVE_INFINITY));
      await new Promise((resolve) => setImmediate(resolve));
      quiet = moved.includes(true) ? 0 : quiet + 1;
    }
  };
  const open = async () => {
    await settle();
    const stream = new RecordingEnd(front.session);
    front.session.attach(stream, client);
    await settle();
    return stream;
  };
  return { clock, front, wire, session, settle, open };
}

describe("a virtual socket", () => {
  let socket: VirtualSocket;
  let link: ReturnType<typeof connect>;
  let stream: RecordingEnd;

  beforeEach(async () => {
    link = connect((opened) => {
      socket = opened;
    });
    stream = await link.open();
  });

  it("names its client, its own side and its state", () => {
    expect(socket).toMatchObject({
      remoteAddress: "2001:db8::7",
      remotePort: 50_000,
      remoteFamily: "IPv6",
      localAddress: "127.0.0.1",
      localPort: 3_001,
      localFamily: "IPv4",
      encrypted: true,
      readyState: "open",
    });
    expect(socket.address()).toEqual({ address: "127.0.0.1", port: 3_001, family: "IPv4" });
  });

  it("encodes strings where they are sent", async () => {
    socket.write("ä€", "utf8");
    socket.write("\xe4", "latin1");
    socket.write("4a4b", "hex");
    socket.write(Buffer.from("!"));
    socket.write("");
    await link.settle();
    expect(stream.received.toString("hex")).toBe(`${Buffer.from("ä€").toString("hex")}e44a4b21`);
    expect(socket.bytesWritten).toBe(9);
  });

  it("counts what waits for credit as written, as a socket does, and calls back when it left", async () => {
    const written: string[] = [];
    socket.write(Buffer.alloc(900), () => written.push("first"));
    socket.write(Buffer.alloc(900), () => written.push("second"));
    await link.settle();
    expect(written).toEqual(["first"]);
    expect(socket.bytesWritten).toBe(1_800);
    stream.consume(900);
    await link.settle();
    expect(written).toEqual(["first", "second"]);
  });

  it("grants credit as the app reads, in whichever way it reads", async () => {
    stream.give(Buffer.alloc(5_000, "a"));
    await link.settle();
    expect(socket.readableLength).toBe(windowBytes);
    let bytes = 0;
    socket.on("readable", () => {
      for (let piece = socket.read(70); piece !== null; piece = socket.read(70)) bytes += (piece as Buffer).length;
    });
    await link.settle();
    expect(bytes).toBe(4_970);
    socket.removeAllListeners("readable");
    socket.on("data", (piece: Buffer) => {
      bytes += piece.length;
    });
    socket.resume();
    stream.give(Buffer.alloc(5_000, "b"));
    await link.settle();
    expect(bytes).toBe(10_000);
    expect(stream.drained).toBe(true);
  });

  it("fails a write that was waiting when the client left", async () => {
    const written = new Promise((resolve) => socket.write(Buffer.alloc(5_000), resolve));
    socket.on("error", () => {});
    await link.settle();
    stream.close(0);
    await link.settle();
    expect(await written).toMatchObject({ code: "ECANCELED" });
    expect(socket.destroyed).toBe(true);
  });

  it("lets the app read what a client sent before it left in good order, but not answer it", async () => {
    stream.give(Buffer.from("last words"));
    stream.sendFin(0);
    stream.close(0);
    await link.settle();
    expect(socket.destroyed).toBe(false);
    const closed = once(socket, "close");
    const heard: string[] = [];
    socket.on("data", (piece: Buffer) => heard.push(piece.toString()));
    socket.on("end", () => heard.push("end"));
    expect(await closed).toEqual([false]);
    expect(heard).toEqual(["last words", "end"]);
  });

  it("is told by EPIPE that the client has gone", async () => {
    stream.sendFin(0);
    stream.close(0);
    await link.settle();
    const failed = once(socket, "error");
    socket.write("anybody?");
    expect((await failed)[0]).toMatchObject({ code: "EPIPE" });
  });

  it("says whether the front's last bytes were seen when it closes", async () => {
    socket.destroy();
    await link.settle();
    expect(stream.events).toEqual(["open", "close, unseen"]);

    const second = await link.open();
    second.give(Buffer.from("x"));
    await link.settle();
    socket.destroy();
    await link.settle();
    expect(second.events).toEqual(["open", "close"]);

    const third = await link.open();
    third.give(Buffer.from("x"));
    await link.settle();
    socket.on("data", () => {});
    socket.endResponse();
    await link.settle();
    socket.endResponse();
    socket.end();
    const bytesRead = socket.bytesRead;
    third.give(Buffer.from("on its way"));
    await link.settle();
    expect(third.events).toContain("fin, unseen");
    expect(socket.bytesRead).toBe(bytesRead);
  });

  it("closes with whether there was an error", async () => {
    socket.on("error", () => {});
    const hadError = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy(new Error("on purpose"));
    expect(await hadError).toBe(true);
  });

  it("emits timeout after silence in an exchange, not between two", async () => {
    let timeouts = 0;
    socket.setTimeout(100, () => {
      timeouts++;
    });
    link.clock.advance(1_000);
    expect(timeouts).toBe(0);
    socket.on("data", () => {});
    stream.give(Buffer.from("request"));
    await link.settle();
    link.clock.advance(99);
    socket.write("some");
    link.clock.advance(99);
    expect(timeouts).toBe(0);
    link.clock.advance(1);
    expect(timeouts).toBe(1);
    socket.on("timeout", () => {
      timeouts++;
    });
    socket.endResponse();
    link.clock.advance(1_000);
    expect(timeouts).toBe(1);
    expect(() => socket.setTimeout(-1)).toThrow(RangeError);
  });

  it("keeps no timer once destroyed", async () => {
    socket.on("data", () => {});
    stream.give(Buffer.from("request"));
    await link.settle();
    socket.setTimeout(100);
    expect(link.clock.pending).toBe(1);
    socket.destroy();
    expect(link.clock.pending).toBe(0);
  });
});

describe("Node's HTTP server on virtual sockets", () => {
  let server: Server;
  let link: ReturnType<typeof connect>;

  beforeEach(() => {
    watchResponses();
    server = createServer();
    link = connect((socket: Duplex) => void server.emit("connection", socket));
  });

  afterEach(unwatchResponses);

  it("marks each response's end on its last bytes, in one write with all others of the turn", async () => {
    server.on("request", (_, response) => response.end("x"));
    const ends = [await link.open(), await link.open()];
    for (const stream of ends) stream.give(Buffer.from(request));
    link.front.wire.endTurn();
    link.front.wire.deliver(Number.POSITIVE_INFINITY);
    await new Promise((resolve) => setImmediate(resolve));
    const flushes = link.session.flushes;
    await link.settle();
    expect(link.session.flushes).toBe(flushes + 1);
    expect(ends.map(({ events }) => events)).toEqual([
      ["open", "response end"],
      ["open", "response end"],
    ]);
  });

  it("does not write the fields of a connection that is the front's to keep, but the app's own are kept", async () => {
    const heads: string[] = [];
    server.on("request", (incoming, response) => {
      if (incoming.url === "/close") response.setHeader("Connection", "close");
      response.end();
    });
    for (const path of ["/", "/close"]) {
      const stream = await link.open();
      stream.give(Buffer.from(request.replace("/", path)));
      await link.settle();
      heads.push(
        stream.received
          .toString()
          .split("\r\n")
          .slice(1)
          .filter((line) => /^(Connection|Keep-Alive)/.test(line))
          .join(),
      );
      expect(stream.events.includes("close, unseen")).toBe(path === "/close");
    }
    expect(heads).toEqual(["", "Connection: close"]);
  });

  it("leaves responses on other sockets alone", async () => {
    server.on("request", (_, response) => response.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
    const response = await fetch(`http://127.0.0.1:${address.port}/`);
    expect(response.headers.get("connection")).toBe("keep-alive");
    server.closeAllConnections();
    server.close();
  });
});
