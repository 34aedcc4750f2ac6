// What becomes of exchanges when their link, its worker or its app fails or leaves.
import type { createServer, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { DEFAULT_HELLO } from "../src/link/frame.ts";
import { eventually } from "./support/eventually.ts";
import type { LinkEndpoint } from "./support/link-endpoint.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { get, TestClient, TestExchange } from "./support/test-exchange.ts";
import { ask, forkWorker, frames, transportTo, worker } from "./support/test-link.ts";
import { speaking } from "./support/unix-server.ts";

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

  it("ends at SIGKILL of a worker: every stream learns of it", async () => {
    const { child, path } = await forkWorker();
    const { transport, downs } = transportTo(path);
    const exchanges = Array.from({ length: 20 }, () => {
      const exchange = new TestExchange(transport, new TestClient());
      exchange.stream.write(get("/hang"));
      return exchange;
    });
    await eventually(() => exchanges.every(({ bytes }) => bytes > 0), { what: "the beginnings of the responses" });
    child.kill("SIGKILL");
    await eventually(() => exchanges.every(({ failure }) => failure), { what: "the failures" });
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
