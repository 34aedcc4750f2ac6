import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createNetServer, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { createLinkTransport, type LinkTransportOptions } from "../src/front/transport/link-transport.ts";
import type { Transport } from "../src/front/transport/upstream.ts";
import type { LinkError } from "../src/link/errors.ts";
import { DEFAULT_HELLO } from "../src/link/frame.ts";
import { FrameBatch } from "../src/link/frame-batch.ts";
import { systemClock } from "../src/model/clock.ts";
import { eventually } from "./support/eventually.ts";
import { type LinkEndpoint, openLinkEndpoint } from "./support/link-endpoint.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { get, TestClient, TestExchange, transportContract } from "./support/transport-contract.ts";

transportContract("link", async (server) => {
  const worker = await openLinkEndpoint(server);
  const transport = linkTo(worker.path);
  return {
    transport,
    stopEndpoint: () => worker.stop(),
    async end() {
      transport.close();
      await worker.stop();
    },
  };
});

const endpoint = { id: "0.1", slot: 0, incarnation: 1, weight: 1, address: { kind: "unix", path: "" } } as const;

function linkTo(path: string, options: Partial<LinkTransportOptions> = {}): Transport {
  return createLinkTransport({ endpoint, path, clock: systemClock, onDown: () => {}, ...options });
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function worker(listener: RequestListener, options: { readonly windowBytes?: number } = {}) {
  const server = createServer(listener);
  const open = await openLinkEndpoint(server, options);
  cleanUps.push(() => open.stop());
  return { server, ...open };
}

function transportTo(path: string, options: Partial<LinkTransportOptions> = {}) {
  const downs: LinkError[] = [];
  const transport = linkTo(path, { onDown: (error) => downs.push(error), ...options });
  cleanUps.push(() => transport.close());
  return { transport, downs };
}

async function ask(transport: Transport, client: TestClient, path = "/"): Promise<TestExchange> {
  const exchange = new TestExchange(transport, client);
  exchange.stream.write(get(path));
  await eventually(() => exchange.body, { what: `a response to ${path}` });
  exchange.release();
  return exchange;
}

/** A path on which a server listens that speaks whatever `speak` does. */
async function speaking(speak: (socket: Socket) => void): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "lb-test-"));
  const path = join(directory, "intake");
  const sockets: Socket[] = [];
  const server: NetServer = createNetServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    speak(socket);
  });
  server.listen(path);
  await once(server, "listening");
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return path;
}

async function forkWorker(): Promise<{ readonly child: ChildProcess; readonly path: string }> {
  const directory = mkdtempSync(join(tmpdir(), "lb-test-"));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "intake");
  const child = fork(new URL("./fixtures/link-worker.ts", import.meta.url), [path]);
  cleanUps.push(() => child.kill("SIGKILL"));
  await once(child, "message");
  return { child, path };
}

function frames(write: (batch: FrameBatch) => void): Buffer {
  const batch = new FrameBatch();
  write(batch);
  return Buffer.concat(batch.take());
}

describe("streams of a client on the link", () => {
  it("are one per worker, and known to the client", async () => {
    const { path, links } = await worker((_, response) => response.end());
    const { transport } = transportTo(path);
    const [one, two] = [new TestClient(), new TestClient()];
    for (let i = 0; i < 3; i++) await Promise.all([ask(transport, one), ask(transport, two)]);
    expect([one.streams.size, two.streams.size]).toEqual([1, 1]);
    expect(links.map(({ streams }) => streams)).toEqual([2]);
    for (const stream of one.streams) stream.destroy();
    expect(one.streams.size).toBe(0);
    await eventually(() => links[0]!.streams === 1, { what: "the stream's end" });
  });

  it("serve the next exchange at once, from within the last bytes of the one before", async () => {
    const { path, links } = await worker((_, response) => response.end("x"));
    const { transport } = transportTo(path);
    const client = new TestClient();
    let done = 0;
    const next = () => {
      const exchange = new TestExchange(transport, client);
      exchange.onBytes = () => {
        if (exchange.body === undefined) return;
        exchange.release();
        done++;
        if (done < 50) next();
      };
      exchange.stream.write(get("/"));
    };
    next();
    await eventually(() => done === 50, { what: "50 exchanges" });
    expect(links[0]!.streams).toBe(1);
  });

  it("have their window back for the next exchange, even if the last one ended paused", async () => {
    const windowBytes = 1_000;
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 960\r\n\r\n";
    const { path } = await worker((_, response) => {
      response.sendDate = false;
      response.end(Buffer.alloc(windowBytes - head.length));
    });
    const { transport } = transportTo(path, { windowBytes });
    const client = new TestClient();
    for (let i = 0; i < 3; i++) {
      const exchange = new TestExchange(transport, client);
      exchange.onBytes = () => exchange.stream.pause();
      exchange.stream.write(get("/"));
      await eventually(() => exchange.body, { what: `response ${i}` });
      expect(exchange.bytes).toBe(windowBytes);
      exchange.release();
    }
    expect(client.streams.size).toBe(1);
  });

  it("carry clients that have no address", async () => {
    const { path } = await worker(({ socket }, response) => {
      response.end(`${socket.remoteAddress} ${socket.remotePort} ${socket.remoteFamily}`);
    });
    const { transport } = transportTo(path);
    const client = Object.assign(new TestClient(), { remoteAddress: undefined, remotePort: undefined });
    const exchange = await ask(transport, client as never);
    expect(exchange.body?.toString()).toBe("undefined undefined undefined");
  });

  it("take the next exchange at once after a response of any size: its end comes with its last bytes", async () => {
    const bodies: Record<string, Buffer | string> = {
      "/small": "x",
      "/text": "x".repeat(40_000),
      "/lent": Buffer.alloc(40_000),
      "/queued": Buffer.alloc(900_000),
      "/long": "x".repeat(900_000),
    };
    const { path, links } = await worker((request, response) => response.end(bodies[request.url!]));
    const { transport } = transportTo(path);
    const client = new TestClient();
    const marked: boolean[] = [];
    for (const target of [...Object.keys(bodies), ...Object.keys(bodies)]) {
      const exchange = new TestExchange(transport, client);
      exchange.onBytes = () => {
        if (exchange.body === undefined) return;
        exchange.release();
        // As quick as a pipelining client.
        const next = new TestExchange(transport, client);
        marked.push(next.stream.reused);
        next.stream.write(get("/small"));
        next.onBytes = () => next.release();
      };
      exchange.stream.write(get(target));
      await eventually(() => exchange.body, { what: target });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(marked).toEqual(marked.map(() => true));
    expect(marked).toHaveLength(10);
    expect(links[0]!.streams).toBe(1);
  });

  it("are not reused before the worker's mark; the old one ends when that comes", async () => {
    const sockets = new Set<Duplex>();
    // A response of its own make: the head says that it is over, Node does not.
    const { path, links, server } = await worker((request, response) => {
      if (request.url !== "/early") return void response.end("clean");
      request.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nover");
      server.once("finish-early", () => response.destroy());
    });
    server.on("connection", (socket: Duplex) => sockets.add(socket));
    const { transport } = transportTo(path);
    const client = new TestClient();
    const early = await ask(transport, client, "/early");
    const next = await ask(transport, client);
    expect(next.stream).not.toBe(early.stream);
    expect(next.body?.toString()).toBe("clean");
    expect(client.streams.size).toBe(2);
    server.emit("finish-early");
    await eventually(() => client.streams.size === 1 && links[0]!.streams === 1, { what: "the old stream's end" });
    expect(early.outOfPlace).toEqual([]);
  });

  it("tell that a response is complete although its framing says otherwise", async () => {
    const { path } = await worker((_, response) => {
      response.writeHead(200, { "Content-Length": 10 });
      response.end("short");
    });
    const { transport } = transportTo(path);
    const exchange = new TestExchange(transport, new TestClient());
    exchange.stream.write(get("/"));
    await eventually(() => exchange.complete, { what: "upstreamComplete" });
    expect(exchange.text.endsWith("\r\n\r\nshort")).toBe(true);
    exchange.destroy();
  });

  it("end after they have been idle for long, by one timer", async () => {
    const clock = new ManualClock();
    const { path, links } = await worker((_, response) => response.end());
    const { transport } = transportTo(path, { clock, idleStreamMs: 1_000 });
    const [idle, busy] = [new TestClient(), new TestClient()];
    await ask(transport, idle);
    await ask(transport, busy);
    clock.advance(1_000);
    await ask(transport, busy);
    expect(links[0]!.streams).toBe(2);
    clock.advance(1_000);
    await eventually(() => links[0]!.streams === 1, { what: "the idle stream's end" });
    expect([idle.streams.size, busy.streams.size]).toEqual([0, 1]);
    expect(clock.pending).toBe(1);
  });

  it("live longer than the worker's keep-alive timeout, since their client does", async () => {
    const { path, links, server } = await worker((_, response) => response.end());
    server.keepAliveTimeout = 1;
    (server as unknown as { keepAliveTimeoutBuffer: number }).keepAliveTimeoutBuffer = 0;
    const { transport } = transportTo(path);
    const client = new TestClient();
    const first = await ask(transport, client);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(links[0]!.streams).toBe(1);
    expect((await ask(transport, client)).stream).toBe(first.stream);
  });

  it("were not seen by the app when it closes them as a request is on its way, so that any method can be sent again", async () => {
    const sockets = new Set<Duplex>();
    let requests = 0;
    const { path, server } = await worker((_, response) => {
      requests++;
      response.end();
    });
    server.on("connection", (socket: Duplex) => sockets.add(socket));
    const { transport } = transportTo(path);
    for (const close of [
      (socket: Duplex) => socket.destroy(),
      (socket: Duplex) => socket.end(),
      () => server.closeIdleConnections(),
    ]) {
      sockets.clear();
      const client = new TestClient();
      await ask(transport, client);
      const before = requests;
      // Both in one turn: the request leaves while the close is on its way.
      close([...sockets][0]!);
      const exchange = new TestExchange(transport, client);
      exchange.stream.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
      expect(exchange.stream.reused).toBe(true);
      await eventually(() => exchange.failure, { what: "a failure" });
      expect(exchange.failure).toMatchObject({ reason: "reset", sent: false });
      expect(exchange.ended).toBe(false);
      expect(requests).toBe(before);
      expect(client.streams.size).toBe(0);
    }
  });
});

describe("a link that goes down", () => {
  it("fails its streams, says which had sent something, and is opened again by the next exchange", async () => {
    const { path, sockets } = await worker((request, response) => {
      if (request.url !== "/hang") response.end("back");
    });
    const { transport, downs } = transportTo(path);
    const [idle, hanging, unsent] = [new TestClient(), new TestClient(), new TestClient()];
    await ask(transport, idle);
    const waiting = new TestExchange(transport, hanging);
    waiting.stream.write(get("/hang"));
    await eventually(() => sockets[0]!.bytesRead > 150, { what: "the request" });
    // Lost before this turn's batch leaves.
    const still = new TestExchange(transport, unsent);
    sockets[0]!.destroy();
    still.stream.write(get("/"));
    await eventually(() => waiting.failure && still.failure, { what: "the failures" });
    expect(waiting.failure).toMatchObject({ reason: "reset", sent: true, endpointDown: true });
    expect(downs).toEqual([expect.objectContaining({ code: "LB_LINK_LOST" })]);
    expect(idle.streams.size).toBe(0);
    const again = await ask(transport, idle);
    expect(again.body?.toString()).toBe("back");
    expect(again.stream.reused).toBe(false);
  });

  it("knows that nothing was sent when the worker did not greet in time", async () => {
    const clock = new ManualClock();
    const path = await speaking(() => {});
    const { transport, downs } = transportTo(path, { clock, connectTimeoutMs: 500 });
    const exchange = new TestExchange(transport, new TestClient());
    expect(exchange.stream.write(get("/"))).toBe(false);
    clock.advance(500);
    await eventually(() => exchange.failure, { what: "a failure" });
    expect(exchange.failure).toMatchObject({
      reason: "connect",
      sent: false,
      endpointDown: false,
      cause: { code: "LB_LINK_CONNECT" },
    });
    expect(downs).toEqual([]);
  });

  it.each<[string, string, (socket: Socket) => void]>([
    [
      "another version",
      "LB_LINK_VERSION",
      (socket) => {
        const hello = frames((batch) => batch.hello(DEFAULT_HELLO));
        hello.writeUInt16BE(99, 12);
        socket.write(hello);
      },
    ],
    ["another protocol", "LB_LINK_PROTOCOL", (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")],
    [
      "no sense",
      "LB_LINK_PROTOCOL",
      (socket) => {
        socket.write(frames((batch) => batch.hello(DEFAULT_HELLO)));
        socket.once("data", () => socket.write(frames((batch) => batch.fin(7, 0))));
      },
    ],
  ])("is closed and reported when the worker speaks %s", async (_, code, speak) => {
    const { transport, downs } = transportTo(await speaking(speak));
    const exchange = new TestExchange(transport, new TestClient());
    exchange.stream.write(get("/"));
    await eventually(() => exchange.failure, { what: "a failure" });
    await eventually(() => downs.length > 0, { what: "the report" });
    expect(downs).toEqual([expect.objectContaining({ code })]);
  });

  it.each(["at once", "later"])("drops a stream on which the worker speaks unasked, released %s", async (release) => {
    let strayed = false;
    const path = await speaking((socket) => {
      socket.write(frames((batch) => batch.hello(DEFAULT_HELLO)));
      socket.on("data", (bytes) => {
        if (!bytes.includes("GET")) return;
        const reply = frames((batch) => {
          batch.text(1, "HTTP/1.1 204 No Content\r\n\r\n", "latin1");
          batch.endResponseAt(batch.lastData);
          batch.text(1, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray", "latin1");
        });
        socket.write(reply, () => {
          strayed = true;
        });
      });
    });
    const { transport, downs } = transportTo(path);
    const client = new TestClient();
    const exchange = new TestExchange(transport, client);
    if (release === "at once") exchange.onBytes = () => exchange.release();
    exchange.stream.write(get("/"));
    await eventually(() => strayed && exchange.text !== "", { what: "the response" });
    if (release === "later") {
      // All of it was one write; it has been read.
      await new Promise((resolve) => setTimeout(resolve, 20));
      exchange.release();
    }
    await eventually(() => client.streams.size === 0, { what: "the stream's end" });
    expect(exchange.text).toBe("HTTP/1.1 204 No Content\r\n\r\n");
    expect(downs).toEqual([]);
  });

  it("ends at SIGKILL of a worker: every stream learns of it within a second", async () => {
    const { child, path } = await forkWorker();
    const { transport, downs } = transportTo(path);
    const exchanges = Array.from({ length: 20 }, () => {
      const exchange = new TestExchange(transport, new TestClient());
      exchange.stream.write(get("/hang"));
      return exchange;
    });
    await eventually(() => exchanges.every(({ bytes }) => bytes > 0), { what: "the beginnings of the responses" });
    child.kill("SIGKILL");
    await eventually(() => exchanges.every(({ failure }) => failure), { withinMs: 1_000, what: "the failures" });
    expect(downs).toHaveLength(1);
  });
});

describe("an app that throws", () => {
  it("loses that request alone, not the others that came with it", async () => {
    const { child, path } = await forkWorker();
    const thrown: unknown[] = [];
    child.on("message", (message) => thrown.push(message));
    const { transport, downs } = transportTo(path);
    const clients = Array.from({ length: 10 }, () => new TestClient());
    await Promise.all(clients.map((client) => ask(transport, client, "/whole")));
    // All of them in one batch, and in one read at the worker.
    const exchanges = clients.map((client, i) => {
      const exchange = new TestExchange(transport, client);
      exchange.stream.write(get(i % 3 === 1 ? "/throw" : "/whole"));
      return exchange;
    });
    const whole = exchanges.filter((_, i) => i % 3 !== 1);
    await eventually(() => whole.every(({ body }) => body?.toString() === "whole"), { what: "the other responses" });
    expect(thrown).toEqual(Array(3).fill("thrown by the app"));
    expect(downs).toEqual([]);
  });
});

describe("a worker that says goodbye", () => {
  async function leaving() {
    const responses: ServerResponse[] = [];
    const open: { server: ReturnType<typeof createServer> } & LinkEndpoint = await worker((request, response) => {
      if (request.url === "/slow") responses.push(response);
      else response.end();
    });
    const { transport, downs } = transportTo(open.path);
    const [idle, slow] = [new TestClient(), new TestClient()];
    await ask(transport, idle);
    const exchange = new TestExchange(transport, slow);
    exchange.stream.write(get("/slow"));
    await eventually(() => responses.length === 1, { what: "the request" });
    return { ...open, transport, downs, idle, exchange, response: responses[0]! };
  }

  it("keeps its exchanges, loses its idle streams, and its link ends without an alarm", async () => {
    const { links, sockets, transport, downs, idle, exchange, response, refuse, ends } = await leaving();
    const refused = refuse();
    links[0]!.drain();
    await eventually(() => idle.streams.size === 0, { what: "the idle stream's end" });
    expect(sockets).toHaveLength(1);
    response.end("last");
    await eventually(() => exchange.body, { what: "the response" });
    exchange.release();
    await refused;
    await eventually(() => sockets.length === 0, { what: "the link's end" });
    expect(ends).toEqual([expect.objectContaining({ code: "LB_LINK_LOST" })]);
    expect(downs).toEqual([]);
    const late = new TestExchange(transport, idle);
    await eventually(() => late.failure, { what: "a failure" });
    expect(late.failure).toMatchObject({ reason: "connect", sent: false, cause: { code: "LB_LINK_CONNECT" } });
  });

  it("is connected to anew if it still takes links", async () => {
    const { links, transport, idle, response, exchange } = await leaving();
    const first = links[0]!;
    first.drain();
    await eventually(() => idle.streams.size === 0, { what: "the idle stream's end" });
    await ask(transport, idle);
    expect(links).toHaveLength(2);
    response.end("last");
    await eventually(() => exchange.body, { what: "the response" });
    exchange.release();
    await eventually(() => !links.includes(first), { what: "the first link's end" });
  });
});
