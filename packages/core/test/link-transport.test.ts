import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { openLinkEndpoint } from "./support/link-endpoint.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { get, TestClient, TestExchange } from "./support/test-exchange.ts";
import { ask, linkTo, transportTo, worker } from "./support/test-link.ts";
import { transportContract } from "./support/transport-contract.ts";

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
