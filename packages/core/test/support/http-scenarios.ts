import { once } from "node:events";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ConnectionScenario, scenario } from "./connection-scenario.ts";
import { endingScenarios } from "./ending-scenarios.ts";
import { RawClient } from "./raw-client.ts";
import { app, asking, hashOf, head, large, sha256 } from "./scenario-parts.ts";

export const httpScenarios: readonly ConnectionScenario[] = [
  scenario("a hundred requests on one kept-alive connection meet one socket", {
    app: () => {
      const sockets = new Set<unknown>();
      return createServer((request, response) => {
        sockets.add(request.socket);
        response.end(`${request.url} ${sockets.size}`);
      });
    },
    async run({ port }) {
      const client = await RawClient.connect(port);
      const answers = new Set<string>();
      for (let i = 0; i < 100; i++) {
        const { body } = await client.send(head("/same")).response();
        answers.add(body.toString());
      }
      client.destroy();
      return [...answers];
    },
    expected: ["/same 1"],
  }),

  scenario("pipelined requests are answered in order", {
    app: app((request, response) => {
      const wait = request.url === "/0" ? 20 : 0;
      setTimeout(() => response.end(request.url), wait);
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      client.send([0, 1, 2, 3].map((i) => head(`/${i}`)).join(""));
      const bodies: string[] = [];
      for (let i = 0; i < 4; i++) bodies.push((await client.response()).body.toString());
      client.destroy();
      return bodies;
    },
    expected: ["/0", "/1", "/2", "/3"],
  }),

  scenario("a response that is corked says when there is room again", {
    app: app(async (_, response) => {
      const piece = Buffer.alloc(1_000, "x");
      // What Node counts by itself: pieces that leave at once, one that waits, and both.
      for (const pieces of [
        Array(80).fill(piece),
        [Buffer.alloc(70_000, "y")],
        [...Array(50).fill(piece), Buffer.alloc(20_000, "z")],
      ]) {
        response.flushHeaders();
        response.cork();
        const room = pieces.map((each: Buffer) => response.write(each)).at(-1);
        const drained = once(response, "drain");
        response.uncork();
        if (room === false) await drained;
      }
      response.end();
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      const { body } = await client.send(head("/")).response();
      client.destroy();
      return body.length;
    },
    expected: 220_000,
  }),

  scenario("a large body each way at once, byte for byte", {
    app: app((request, response) => void pipeline(request, response)),
    async run({ port }) {
      const { sent, response } = asking(port, { method: "POST", headers: { "Content-Length": large.length } });
      const received = response.then(hashOf);
      sent.end(large);
      return (await received) === sha256(large);
    },
    expected: true,
  }),

  scenario("an upload in many chunks with trailers", {
    app: app((request, response) => {
      void hashOf(request).then((hash) => response.end(JSON.stringify({ hash, trailers: request.trailers })));
    }),
    async run({ port }) {
      const { sent, response } = asking(port, { method: "PUT", headers: { Trailer: "X-Sum" } });
      for (let at = 0; at < 1_000_000; at += 7_919) {
        if (!sent.write(large.subarray(at, Math.min(1_000_000, at + 7_919)))) await once(sent, "drain");
      }
      sent.addTrailers({ "X-Sum": "yes" });
      sent.end();
      const answer = JSON.parse(Buffer.concat(await (await response).toArray()).toString());
      return { whole: answer.hash === sha256(large.subarray(0, 1_000_000)), trailers: answer.trailers };
    },
    expected: { whole: true, trailers: { "x-sum": "yes" } },
  }),

  scenario("a file through pipeline()", {
    app: () => {
      const directory = mkdtempSync(join(tmpdir(), "lb-file-"));
      const file = join(directory, "file");
      writeFileSync(file, large);
      return createServer((_, response) => {
        void pipeline(createReadStream(file), response);
      }).on("close", () => rmSync(directory, { recursive: true }));
    },
    async run({ port }) {
      const { sent, response } = asking(port);
      sent.end();
      return (await hashOf(await response)) === sha256(large);
    },
    expected: true,
  }),

  scenario("one large buffer, and one long string", {
    app: app((request, response) => {
      const text = "ü€x".repeat(400_000);
      if (request.url === "/text") response.end(text);
      else response.end(large);
    }),
    async run({ port }) {
      const got: string[] = [];
      for (const path of ["/bytes", "/text"]) {
        const { sent, response } = asking(port, { path });
        sent.end();
        got.push(await hashOf(await response));
      }
      return [got[0] === sha256(large), got[1] === sha256(Buffer.from("ü€x".repeat(400_000)))];
    },
    expected: [true, true],
  }),

  scenario("server-sent events arrive one by one, and the app learns that the client left", {
    app: () => {
      const server = createServer((_, response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.write("data: 1\n\n");
        server.on("next", (event: number) => response.write(`data: ${event}\n\n`));
        response.on("close", () => server.emit("left", response.writableFinished));
      });
      return server;
    },
    async run({ port, server }) {
      const { sent, response } = asking(port);
      sent.end();
      const stream = await response;
      const events: string[] = [];
      for (let next = 2; next <= 4; next++) {
        const [bytes] = (await once(stream, "data")) as [Buffer];
        events.push(bytes.toString());
        server.emit("next", next);
      }
      const left = once(server, "left");
      sent.destroy();
      return { events, finished: (await left)[0] };
    },
    expected: { events: ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"], finished: false },
  }),

  scenario("early hints and 100-continue come before the response", {
    app: app((request, response) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      request.resume().on("end", () => response.end("done"));
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      client.send("POST / HTTP/1.1\r\nHost: parity\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
      const first = await client.response();
      const second = await client.response();
      client.send("ok");
      const third = await client.response();
      client.destroy();
      return [first.status, second.status, second.headers["link"], third.status, third.body.toString()];
    },
    expected: [100, 103, "</style.css>; rel=preload", 200, "done"],
  }),

  scenario("checkContinue and checkExpectation answer; the latter's connection lives on", {
    scope: "connection",
    app: () =>
      createServer((request, response) => response.end(`request ${request.url}`))
        .on("checkContinue", (_, response) => response.writeHead(413).end())
        .on("checkExpectation", (_, response) => response.writeHead(417).end("no")),
    async run({ port }) {
      // Node closes the connection of a client that may or may not send its body.
      const refused = await RawClient.connect(port);
      const { status } = await refused.send(head("/", "Expect: 100-continue\r\n")).response();
      await refused.closed;
      refused.destroy();
      const client = await RawClient.connect(port);
      const failed = await client.send(head("/", "Expect: miracles\r\n")).response();
      const { body } = await client.send(head("/after")).response();
      client.destroy();
      return [status, failed.status, body.toString()];
    },
    expected: [413, 417, "request /after"],
  }),

  scenario("HEAD, 204, 304, HTTP/1.0 and a response that ends with its connection", {
    scope: "connection",
    app: app((request, response) => {
      if (request.url === "/204" || request.url === "/304") response.writeHead(Number(request.url.slice(1))).end();
      else if (request.url === "/close") response.writeHead(200, { Connection: "close" }).end("closing");
      else {
        response.write("chunk");
        response.end("ed");
      }
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      const kept: unknown[] = [];
      const headOnly = await client.send("HEAD / HTTP/1.1\r\nHost: parity\r\n\r\n").response("HEAD");
      kept.push(headOnly.status, headOnly.body.length);
      for (const path of ["/204", "/304", "/chunked"]) {
        const { status, body } = await client.send(head(path)).response();
        kept.push(status, body.toString());
      }
      const closing = await client.send(head("/close")).response();
      await client.closed;
      const old = await RawClient.connect(port);
      const ancient = await old.send("GET /old HTTP/1.0\r\n\r\n").response();
      await old.closed;
      client.destroy();
      old.destroy();
      return [...kept, closing.headers["connection"], closing.body.toString(), ancient.body.toString()];
    },
    expected: [200, 0, 204, "", 304, "", 200, "chunked", "close", "closing", "chunked"],
  }),
  ...endingScenarios,
];
