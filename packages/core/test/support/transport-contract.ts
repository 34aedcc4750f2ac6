import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Transport, UpstreamClient } from "../../src/front/transport/upstream.ts";
import { eventually } from "./eventually.ts";
import { get, TestClient, TestExchange } from "./test-exchange.ts";

/** A transport to a server, and the ways to end both. */
export interface OpenTransport {
  readonly transport: Transport;
  /** The endpoint disappears: what is open breaks, and nothing can be opened any more. */
  stopEndpoint(): Promise<void>;
  /** Frees everything. */
  end(): Promise<void>;
}

/** What every transport to one endpoint has to do; `open` makes one to `server`. */
export function transportContract(name: string, open: (server: Server) => Promise<OpenTransport>): void {
  describe(`the contract of transports: ${name}`, () => {
    let answer: (request: IncomingMessage, response: ServerResponse) => void;
    let server: Server;
    let opened: OpenTransport;
    let transport: Transport;
    const sockets = new Set<Duplex>();
    const exchanges: TestExchange[] = [];

    beforeEach(async () => {
      answer = (request, response) => response.end(`You asked for ${request.url}`);
      server = createServer((request, response) => answer(request, response));
      server.on("connection", (socket: Duplex) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
      });
      opened = await open(server);
      transport = opened.transport;
    });

    afterEach(async () => {
      await opened.end();
      expect(exchanges.splice(0).flatMap(({ outOfPlace }) => outOfPlace)).toEqual([]);
      sockets.clear();
    });

    function begin(request: string | Buffer, client: UpstreamClient = new TestClient()): TestExchange {
      const exchange = new TestExchange(transport, client);
      exchanges.push(exchange);
      exchange.stream.write(request);
      return exchange;
    }

    /** Sends a request, waits for its response and gives the stream back. */
    async function ask(path: string, client?: UpstreamClient): Promise<TestExchange> {
      const exchange = begin(get(path), client);
      await eventually(() => exchange.body, { what: `a response to ${path}` });
      exchange.release();
      return exchange;
    }

    it("carries a request and its response", async () => {
      const exchange = await ask("/hello");
      expect(exchange.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(exchange.body?.toString()).toBe("You asked for /hello");
      expect(exchange.stream.reused).toBe(false);
    });

    it("reuses a stream for the next exchange, and says so", async () => {
      const client = new TestClient();
      await ask("/0", client);
      for (let i = 1; i <= 10; i++) {
        const exchange = await ask(`/${i}`, client);
        expect(exchange.body?.toString()).toBe(`You asked for /${i}`);
        expect(exchange.stream.reused).toBe(true);
      }
      expect(sockets.size).toBe(1);
    });

    it("opens a stream that served nobody when asked for a fresh one", async () => {
      const client = new TestClient();
      await ask("/first", client);
      const exchange = new TestExchange(transport, client, { fresh: true });
      exchanges.push(exchange);
      exchange.stream.write(get("/second"));
      await eventually(() => exchange.body, { what: "a response on the fresh stream" });
      expect(exchange.stream.reused).toBe(false);
    });

    it("keeps exchanges of several clients apart", async () => {
      const asked = Array.from({ length: 100 }, (_, i) => ask(`/client/${i}`));
      const bodies = (await Promise.all(asked)).map(({ body }) => body?.toString());
      expect(bodies).toEqual(bodies.map((_, i) => `You asked for /client/${i}`));
    });

    it("sends strings as latin1", async () => {
      answer = (request, response) => {
        request.on("data", (bytes: Buffer) => response.end(bytes.toString("hex")));
      };
      const exchange = begin("POST / HTTP/1.1\r\nHost: contract\r\nContent-Length: 2\r\n\r\n\xe4\xff");
      await eventually(() => exchange.body, { what: "the body's octets" });
      expect(exchange.body?.toString()).toBe("e4ff");
    });

    it("carries large bodies both ways, byte for byte", async () => {
      answer = (request, response) => request.pipe(response);
      const body = randomBytes(3_000_000);
      const exchange = begin(`POST / HTTP/1.1\r\nHost: contract\r\nContent-Length: ${body.length}\r\n\r\n`);
      for (let at = 0; at < body.length; ) {
        const writable = exchange.writable;
        const piece = body.subarray(at, at + 1 + ((at * 7) % 100_000));
        at += piece.length;
        if (!exchange.stream.write(piece)) {
          await eventually(() => exchange.writable > writable, { what: "upstreamWritable" });
        }
      }
      const { received } = await eventually(
        () => exchange.text.endsWith("0\r\n\r\n") && { received: dechunked(exchange.text) },
        { what: "the end of the chunked response" },
      );
      expect(sha256(received)).toBe(sha256(body));
    });

    it("stops sending to a request that is not read, and goes on when it is", async () => {
      let request: IncomingMessage | undefined;
      answer = (incoming) => {
        request = incoming;
      };
      const exchange = begin("POST / HTTP/1.1\r\nHost: contract\r\nContent-Length: 100000000\r\n\r\n");
      const piece = Buffer.alloc(65_536);
      let sent = 0;
      for (let writable = 0; ; writable = exchange.writable) {
        while (exchange.stream.write(piece)) {
          // What the system itself takes is not the transport's to bound.
          sent += piece.length;
          expect(sent).toBeLessThan(50_000_000);
          await new Promise(setImmediate);
        }
        for (let ms = 0; ms < 100 && exchange.writable === writable; ms += 5) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        if (exchange.writable === writable) break;
      }
      await eventually(() => request, { what: "the request" });
      const stuck = exchange.writable;
      request!.resume();
      await eventually(() => exchange.writable > stuck, { what: "upstreamWritable" });
      exchange.destroy();
    });

    it("pauses, holds a bounded amount meanwhile, and loses nothing", async () => {
      const body = randomBytes(8_000_000);
      let response: ServerResponse | undefined;
      answer = (_, outgoing) => {
        response = outgoing;
        outgoing.setHeader("Content-Length", body.length);
        let at = 0;
        const more = () => {
          while (at < body.length) {
            const piece = body.subarray(at, at + 50_000);
            at += piece.length;
            if (!outgoing.write(piece)) return;
          }
          outgoing.off("drain", more).end();
        };
        outgoing.on("drain", more);
        more();
      };
      const exchange = begin(get("/"));
      exchange.onBytes = () => exchange.stream.pause();
      await eventually(() => exchange.bytes > 0, { what: "the first bytes" });
      await eventually(() => response?.writableNeedDrain, { what: "back-pressure at the endpoint" });
      const paused = exchange.bytes;
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(exchange.bytes).toBe(paused);
      expect(response!.writableEnded).toBe(false);

      let turns = 0;
      exchange.onBytes = () => {
        exchange.stream.pause();
        turns++;
        setImmediate(() => exchange.stream.resume());
      };
      exchange.stream.resume();
      await eventually(() => exchange.bytes > body.length && exchange.body, { what: "the whole body" });
      expect(turns).toBeGreaterThan(1);
      expect(sha256(exchange.body!)).toBe(sha256(body));
    });

    it("tells of the end when the response ends with the connection", async () => {
      answer = (_, response) => {
        response.removeHeader("Transfer-Encoding");
        response.writeHead(200, { Connection: "close" });
        response.end("until the end");
      };
      const exchange = begin(get("/"));
      await eventually(() => exchange.ended, { what: "the end" });
      expect(exchange.text).toContain("until the end");
      exchange.destroy();
    });

    it("carries a tunnel, each direction until its own end", async () => {
      const heard: string[] = [];
      server.on("upgrade", (_, socket: Duplex) => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        socket.on("data", (bytes: Buffer) => {
          heard.push(bytes.toString());
          socket.write(`echo ${bytes}`);
        });
        socket.on("end", () => {
          heard.push("end");
          socket.end("bye");
        });
      });
      const exchange = begin("GET / HTTP/1.1\r\nHost: contract\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      await eventually(() => exchange.text.endsWith("\r\n\r\n"), { what: "101" });
      exchange.stream.write("one");
      await eventually(() => exchange.text.endsWith("echo one"), { what: "the echo" });
      exchange.stream.end();
      await eventually(() => exchange.ended, { what: "the other end" });
      expect(exchange.text.endsWith("echo onebye")).toBe(true);
      expect(heard).toEqual(["one", "end"]);
      exchange.destroy();
    });

    it.each([
      ["before", (_: IncomingMessage, response: ServerResponse) => response.destroy()],
      [
        "after the head of",
        (_: IncomingMessage, response: ServerResponse) => {
          response.writeHead(200, { "Content-Length": 10 });
          response.write("12345", () => response.destroy());
        },
      ],
    ])("tells when the endpoint closes %s its response", async (_, closing) => {
      answer = closing;
      const exchange = begin(get("/"));
      await eventually(() => exchange.ended || exchange.failure, { what: "an end" });
      expect(exchange.failure?.sent ?? true).toBe(true);
      expect(exchange.failure?.reason ?? "reset").toBe("reset");
      exchange.destroy();
    });

    it("shows the endpoint that a stream was destroyed", async () => {
      let closed = false;
      let asked = false;
      answer = (_, response) => {
        asked = true;
        response.writeHead(200);
        response.write("some");
        response.on("close", () => {
          closed = true;
        });
      };
      const exchange = begin(get("/"));
      await eventually(() => asked && exchange.bytes > 0, { what: "the response's beginning" });
      exchange.destroy();
      exchange.stream.destroy();
      await eventually(() => closed, { what: "close" });
    });

    it("gives no byte that came after a response to the next exchange", async () => {
      let socket: Duplex | undefined;
      answer = (request, response) => {
        socket = request.socket;
        response.end("clean");
      };
      const client = new TestClient();
      await ask("/", client);
      const first = socket!;
      first.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray");
      await eventually(() => first.destroyed, { what: "the stray stream's end" });
      const exchange = await ask("/", client);
      expect(exchange.body?.toString()).toBe("clean");
      expect(socket).not.toBe(first);
    });

    it("serves on after the endpoint closed an idle stream", async () => {
      const client = new TestClient();
      await ask("/first", client);
      for (const socket of sockets) socket.destroy();
      await eventually(() => sockets.size === 0, { what: "the close" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect((await ask("/second", client)).body?.toString()).toBe("You asked for /second");
    });

    it("fails in a later turn, with nothing sent, when the endpoint is gone", async () => {
      const client = new TestClient();
      await ask("/", client);
      await opened.stopEndpoint();
      await eventually(() => sockets.size === 0, { what: "the close" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const exchange = begin(get("/"), client);
      expect(exchange.failure).toBeUndefined();
      await eventually(() => exchange.failure, { what: "a failure" });
      expect(exchange.failure).toMatchObject({ reason: "connect", sent: false });
    });

    it("fails what is under way when the endpoint disappears", async () => {
      let asked = 0;
      answer = () => {
        asked++;
      };
      const waiting = [begin(get("/1")), begin(get("/2"))];
      await eventually(() => asked === 2, { what: "the requests" });
      await opened.stopEndpoint();
      await eventually(() => waiting.every(({ failure, ended }) => ended || failure), { what: "the ends" });
      for (const { failure } of waiting)
        expect(failure ?? { reason: "reset", sent: true }).toMatchObject({ sent: true });
      for (const exchange of waiting) exchange.destroy();
    });

    it("lets exchanges end that are under way when it is closed, then lets go of the endpoint", async () => {
      let finish: (() => void) | undefined;
      answer = (_, response) => {
        response.writeHead(200, { "Content-Length": 4 });
        response.write("be");
        finish = () => response.end("en");
      };
      const idle = new TestClient();
      const exchange = begin(get("/"));
      await eventually(() => finish, { what: "the request" });
      const slow = finish!;
      answer = (_, response) => response.end("quick");
      await ask("/", idle);
      transport.close();
      await eventually(() => sockets.size === 1, { what: "the idle stream's end" });
      slow();
      await eventually(() => exchange.body, { what: "the rest" });
      expect(exchange.body?.toString()).toBe("been");
      exchange.release();
      await eventually(() => sockets.size === 0, { what: "the last stream's end" });
    });
  });
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The body of a chunked response without extensions or trailers. */
function dechunked(response: string): Buffer {
  const chunks: string[] = [];
  for (let at = response.indexOf("\r\n\r\n") + 4; ; ) {
    const lineEnd = response.indexOf("\r\n", at);
    const length = Number.parseInt(response.slice(at, lineEnd), 16);
    if (length === 0) return Buffer.from(chunks.join(""), "latin1");
    chunks.push(response.slice(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
