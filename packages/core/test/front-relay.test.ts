import { createHash, randomBytes } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { HealthOptions } from "../src/options/health-options.ts";
import { connectionsAreClients, edge, forwardedProto } from "./support/edge.ts";
import { httpGet } from "./support/http-get.ts";
import { exchange, RawClient } from "./support/raw-client.ts";
import { reachBy, ways } from "./support/reached-server.ts";
import { startFront } from "./support/test-front.ts";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Answers with what it was asked, as JSON. */
const mirror: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        version: request.httpVersion,
        headers: request.headers,
        raw: request.rawHeaders,
        length: body.length,
        sha256: sha256(body),
        trailers: request.trailers,
      }),
    );
  });
};

const json = (body: Buffer) => JSON.parse(body.toString());

/** A gateway has few connections, and opens them when it likes. */
const testOfConnections = (name: string, run: () => Promise<void>) => {
  if (connectionsAreClients) test(name, run);
};

describe.each(["the link", ...ways] as const)("over %s", (way) => {
  /** As the front takes it for a backend, by the transport that it is to be reached by. */
  async function startApp(listener: RequestListener, prepare: (server: Server) => void = () => {}) {
    const server = createServer(listener);
    prepare(server);
    if (way !== "the link") {
      const { reach, stop } = await reachBy(way, server);
      onTestFinished(stop);
      return reach;
    }
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return server;
  }

  test("many requests on one kept-alive connection, balanced one by one", async () => {
    const name =
      (text: string): RequestListener =>
      (_request, response) =>
        void response.end(text);
    const { port } = await startFront({ backends: [await startApp(name("a")), await startApp(name("b"))] });
    const client = await RawClient.ofTest(port);
    const bodies: string[] = [];
    for (let n = 0; n < 10; n++) {
      bodies.push((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response()).body.toString());
    }
    expect(bodies.filter((body) => body === "a")).toHaveLength(5);
    expect(bodies.filter((body) => body === "b")).toHaveLength(5);
  });

  test("pipelined requests are answered in order", async () => {
    const { port } = await startFront({
      backends: [
        await startApp((request, response) => {
          // The first takes longest, so that answering as they come would turn the order round.
          setTimeout(() => response.end(request.url), request.url === "/0" ? 50 : 0);
        }),
      ],
    });
    const client = await RawClient.ofTest(port);
    client.send(Array.from({ length: 20 }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
    for (let n = 0; n < 20; n++) expect((await client.response()).body.toString()).toBe(`/${n}`);
  });

  test("a pipelined request behind a body is answered too", async () => {
    const { port } = await startFront({ backends: [await startApp(mirror)] });
    const client = await RawClient.ofTest(port);
    client.send("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(json((await client.response()).body)).toMatchObject({ url: "/1", length: 3 });
    expect(json((await client.response()).body)).toMatchObject({ url: "/2", length: 0 });
  });

  test("bodies arrive whole in both directions, whatever their coding and size", async () => {
    const { port } = await startFront({
      backends: [await startApp((request, response) => void request.pipe(response))],
    });
    for (const size of [0, 1, 100, 65_536, 3_000_000]) {
      const body = randomBytes(size);
      for (const chunked of [false, true]) {
        const response = await fetch(`http://127.0.0.1:${port}/`, {
          method: "POST",
          ...(chunked
            ? {
                body: new ReadableStream({
                  start(controller) {
                    for (let at = 0; at < size; at += 10_007) controller.enqueue(body.subarray(at, at + 10_007));
                    controller.close();
                  },
                }),
                duplex: "half",
              }
            : { body }),
        } as RequestInit);
        expect(response.status).toBe(200);
        expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(body));
      }
    }
  });

  test("a chunked request reaches the app chunked, its extensions cut out and its trailers kept", async () => {
    const { port } = await startFront({ backends: [await startApp(mirror)] });
    const response = await exchange(
      port,
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    expect(json(response.body)).toMatchObject({ length: 3, trailers: { "x-sum": "7" } });
  });

  test("every response has a date: the app's, or ours where it gave none, and our own answers too", async () => {
    const backend = await startApp((request, response) => {
      response.sendDate = false;
      if (request.url === "/dated") response.setHeader("Date", "Tue, 14 Nov 2023 22:13:20 GMT");
      response.end();
    });
    const { port } = await startFront({ backends: [backend] });
    const dateOf = async (bytes: string) => (await exchange(port, bytes)).headers["date"] ?? "";
    expect(await dateOf("GET /dated HTTP/1.1\r\nHost: x\r\n\r\n")).toBe("Tue, 14 Nov 2023 22:13:20 GMT");
    for (const request of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]) {
      expect(Math.abs(Date.parse(await dateOf(request)) - Date.now())).toBeLessThan(5_000);
    }
  });

  test("HEAD, 204 and 304 have no body, and the connection goes on", async () => {
    const { port } = await startFront({
      backends: [
        await startApp((request, response) => {
          if (request.url === "/204") response.writeHead(204).end();
          else if (request.url === "/304") response.writeHead(304, { etag: '"1"' }).end();
          else response.writeHead(200, { "content-length": 5 }).end("hello");
        }),
      ],
    });
    const client = await RawClient.ofTest(port);
    const head = await client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").response("HEAD");
    expect(head.headers["content-length"]).toBe("5");
    expect((await client.send("GET /204 HTTP/1.1\r\nHost: x\r\n\r\n").response()).status).toBe(204);
    expect((await client.send("GET /304 HTTP/1.1\r\nHost: x\r\n\r\n").response()).status).toBe(304);
    expect((await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response()).body.toString()).toBe("hello");
  });

  test("HTTP/1.0: closes unless keep-alive is asked for; a chunked response comes unframed", async () => {
    const { port } = await startFront({
      backends: [
        await startApp((request, response) => {
          if (request.url === "/chunked") {
            response.write("one ");
            response.end("two");
          } else response.writeHead(200, { "content-length": 2 }).end("ok");
        }),
      ],
    });
    const plain = await RawClient.connect(port);
    const closing = await plain.send("GET / HTTP/1.0\r\n\r\n").response();
    expect(closing.body.toString()).toBe("ok");
    await plain.closed;

    const kept = await RawClient.connect(port);
    for (let n = 0; n < 3; n++) {
      const response = await kept.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").response();
      expect(response.headers["connection"]?.toLowerCase()).toBe("keep-alive");
      expect(response.body.toString()).toBe("ok");
    }
    const unframed = await kept.send("GET /chunked HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").response();
    expect(unframed.headers["transfer-encoding"]).toBeUndefined();
    expect(unframed.body.toString()).toBe("one two");
    await kept.closed;
  });

  test("Expect: 100-continue passes both ways", async () => {
    const { port } = await startFront({ backends: [await startApp(mirror)] });
    const client = await RawClient.ofTest(port);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    expect((await client.response()).status).toBe(100);
    expect(json((await client.send("body").response()).body)).toMatchObject({ length: 4 });
  });

  test("early hints reach the client before the response", async () => {
    const { port } = await startFront({
      backends: [
        await startApp((_request, response) => {
          response.writeEarlyHints({ link: "</style.css>; rel=preload" }, () => response.end("done"));
        }),
      ],
    });
    const client = await RawClient.ofTest(port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const hints = await client.response();
    expect(hints.status).toBe(103);
    expect(hints.headers["link"]).toBe("</style.css>; rel=preload");
    expect((await client.response()).body.toString()).toBe("done");
  });

  test("the app is told who asked: forwarding fields are set, and a client's own are not believed", async () => {
    const { port, httpsPort } = await startFront({ backends: [await startApp(mirror)] });
    const { body } = await exchange(
      port,
      "GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nForwarded: for=6.6.6.6\r\n\r\n",
    );
    const { headers } = json(body);
    expect(headers).toMatchObject({
      host: "shop.example",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": forwardedProto,
      "x-forwarded-host": "shop.example",
      "x-forwarded-port": String(edge === "plain" ? port : httpsPort),
      "x-real-ip": "127.0.0.1",
    });
    expect(headers["forwarded"]).toBeUndefined();
  });

  test("an absolute-form target becomes origin-form, its authority the Host", async () => {
    const { port } = await startFront({ backends: [await startApp(mirror)] });
    const { body } = await exchange(port, "GET http://right.example/p?q=1 HTTP/1.1\r\nHost: wrong.example\r\n\r\n");
    expect(json(body)).toMatchObject({ url: "/p?q=1", headers: { host: "right.example" } });
  });

  test("WebSocket messages pass both ways through a tunnel, and closing passes too", async () => {
    const closes: number[] = [];
    const backend = await startApp(mirror, (server) => {
      new WebSocketServer({ server }).on("connection", (socket) => {
        socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
        socket.on("close", (code) => closes.push(code));
      });
    });
    const { port, front, inFlight, endpoints } = await startFront({ backends: [backend] });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    for (const size of [1, 125, 65_536, 2_000_000]) {
      const message = randomBytes(size);
      const echoed = new Promise<Buffer>((resolve) => socket.once("message", (bytes) => resolve(bytes as Buffer)));
      socket.send(message);
      expect(sha256(await echoed)).toBe(sha256(message));
    }
    expect(inFlight(endpoints[0]!)).toBe(1);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.close(4001);
    await closed;
    await expect.poll(() => closes).toEqual([4001]);
    await expect.poll(() => front.connections).toBe(connectionsAreClients ? 0 : 1);
    await expect.poll(() => inFlight(endpoints[0]!)).toBe(0);
  });

  test("a client that leaves is told to the app at once, and its lease ends", async () => {
    let gone = 0;
    let asked = () => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const backend = await startApp((_request, response) => {
      response.on("close", () => gone++);
      asked();
    });
    const { port, inFlight, endpoints } = await startFront({ backends: [backend] });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await asking;
    expect(inFlight(endpoints[0]!)).toBe(1);
    client.destroy();
    await expect.poll(() => gone).toBe(1);
    expect(inFlight(endpoints[0]!)).toBe(0);
  });

  test("a slow reader holds the app back instead of filling the front's memory", async () => {
    let written = 0;
    const backend = await startApp((_request, response) => {
      const block = Buffer.alloc(65_536);
      const more = () => {
        while (written < 512_000_000) {
          written += block.length;
          if (!response.write(block)) {
            response.once("drain", more);
            return;
          }
        }
      };
      more();
    });
    const { port } = await startFront({ backends: [backend] });
    const client = await RawClient.ofTest(port);
    client.socket.pause();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let before = -1;
    await expect
      .poll(
        () => {
          const still = written === before && written > 0;
          before = written;
          return still;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
    // What the kernel's socket buffers take on two connections, and not much more; on four with a relay in between.
    expect(written).toBeLessThan(edge === "plain" ? 32_000_000 : 64_000_000);
  });

  testOfConnections("closing the front takes in whoever waits to be accepted", async () => {
    const backend = await startApp((_request, response) => response.end("taken in"));
    const { port, front } = await startFront({ backends: [backend] });
    const arriving = Array.from({ length: 50 }, () => RawClient.connect(port));
    // Nobody is accepted in this turn of the event loop; the kernel has the connections.
    const closing = front.close(5_000);
    // Each asks as soon as it is connected: an idle connection is given a second.
    const bodies = arriving.map(async (connecting) => {
      const client = await connecting;
      const { body } = await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response();
      client.destroy();
      return body.toString();
    });
    expect(await Promise.all(bodies)).toEqual(arriving.map(() => "taken in"));
    await closing;
  });

  testOfConnections(
    "closing the front lets a request in flight finish and tells the client that the connection ends",
    async () => {
      let answer = () => {};
      let asked = () => {};
      const asking = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const backend = await startApp((_request, response) => {
        answer = () => response.end("late");
        asked();
      });
      const { port, front } = await startFront({ backends: [backend] });
      const idle = await RawClient.connect(port);
      const busy = await RawClient.connect(port);
      busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await asking;
      const closing = front.close(5_000);
      await idle.closed;
      idle.destroy();
      answer();
      const response = await busy.response();
      expect(response.body.toString()).toBe("late");
      expect(response.headers["connection"]).toBe("close");
      await busy.closed;
      busy.destroy();
      await closing;
    },
  );

  test("what an answer says of its endpoint does not depend on what is tried again", async () => {
    const answering = (status: number) => startApp((_, response) => void response.writeHead(status).end());
    const states = async (status: number, health: HealthOptions) => {
      const { port, balancer } = await startFront({
        backends: [await answering(200), await answering(status)],
        retry: { on: ["connect-error"] },
        balancer: { health },
      });
      for (let n = 0; n < 12; n++) await httpGet(`http://127.0.0.1:${port}/`);
      return balancer.status().endpoints.map(({ health: { kind }, errors }) => ({ kind, errors }));
    };
    const good = { kind: "healthy", errors: {} };
    expect(await states(503, {})).toEqual([good, { kind: "ejected", errors: { 503: 5 } }]);
    expect(await states(500, {})).toEqual([good, { kind: "healthy", errors: { 500: 6 } }]);
    expect(await states(500, { passive: { on: [500], maxFails: 2 } })).toEqual([
      good,
      { kind: "ejected", errors: { 500: 2 } },
    ]);
  });
});
