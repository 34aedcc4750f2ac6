import { once } from "node:events";
import { createServer } from "node:http";
import { type ConnectionScenario, scenario } from "./connection-scenario.ts";
import { eventually } from "./eventually.ts";
import { RawClient } from "./raw-client.ts";
import { app, head, notes } from "./scenario-parts.ts";

/** Exchanges that somebody ends early, or that end their connection. */
export const endingScenarios: readonly ConnectionScenario[] = [
  scenario("a client that leaves in the middle of the response", {
    app: () => {
      const server = createServer((request, response) => {
        const { seen, note } = notes();
        request.on("aborted", () => note("request aborted"));
        request.on("error", (error: NodeJS.ErrnoException) => note(`request error ${error.code}`));
        request.on("close", () => note("request close"));
        response.on("finish", () => note("response finish"));
        response.on("close", () => {
          note(`response close, destroyed ${response.destroyed}, finished ${response.writableFinished}`);
          setImmediate(() => server.emit("seen", seen));
        });
        response.writeHead(200);
        response.write("some");
      });
      return server;
    },
    async run({ port, server }) {
      const client = await RawClient.connect(port);
      const seen = once(server, "seen");
      client.send("POST / HTTP/1.1\r\nHost: parity\r\nContent-Length: 10\r\n\r\n123");
      await client.until(() => client.pending.includes("some"));
      client.destroy();
      return (await seen)[0];
    },
    expected: [
      "request aborted",
      "response close, destroyed true, finished false",
      "request error ECONNRESET",
      "request close",
    ],
  }),

  scenario("the app destroys the request, the response, or the socket: the client sees a cut", {
    app: app((request, response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("half", () => {
        if (request.url === "/request") request.destroy();
        else if (request.url === "/response") response.destroy(new Error("on purpose"));
        else request.socket.destroy();
      });
      response.on("error", () => {});
    }),
    async run({ port }) {
      const got: string[] = [];
      for (const path of ["/request", "/response", "/socket"]) {
        const client = await RawClient.connect(port);
        client.send(head(path));
        await client.closed;
        got.push(client.pending.toString("latin1").split("\r\n\r\n")[1] ?? "nothing");
        client.destroy();
      }
      return got;
    },
    expected: ["half", "half", "half"],
  }),

  scenario("what is no HTTP is answered with 400, or by clientError", {
    scope: "connection",
    app: () => {
      const server = createServer((_, response) => response.end());
      server.on("custom", () =>
        server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
          socket.end(`HTTP/1.1 418 ${error.code}\r\nConnection: close\r\n\r\n`);
        }),
      );
      return server;
    },
    async run({ port, server }) {
      const got: string[] = [];
      for (const custom of [false, true]) {
        if (custom) server.emit("custom");
        const client = await RawClient.connect(port);
        client.send("NONSENSE\r\n\r\n");
        await client.closed;
        got.push(client.pending.toString("latin1"));
        client.destroy();
      }
      return got;
    },
    expected: [
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 418 HPE_INVALID_METHOD\r\nConnection: close\r\n\r\n",
    ],
  }),

  scenario("a client that half-closes behind its request still gets what was written", {
    scope: "connection",
    app: app((_, response) => response.end("written at once")),
    async run({ port }) {
      const client = await RawClient.connect(port);
      client.send(head());
      client.socket.end();
      const { body } = await client.response();
      await client.closed;
      return body.toString();
    },
    expected: "written at once",
  }),

  scenario("maxRequestsPerSocket announces the last request and closes", {
    scope: "connection",
    app: () =>
      Object.assign(
        createServer((_, response) => response.end("ok")),
        { maxRequestsPerSocket: 2 },
      ),
    async run({ port }) {
      const client = await RawClient.connect(port);
      const first = await client.send(head()).response();
      const second = await client.send(head()).response();
      client.destroy();
      return [first.headers["connection"], second.headers["connection"]];
    },
    expected: ["keep-alive", "close"],
  }),

  scenario("a slow reader stops the app, which holds a bounded amount for it", {
    app: () => {
      const server = createServer((_, response) => {
        const piece = Buffer.alloc(65_536);
        let written = 0;
        const more = () => {
          while (written < 200_000_000) {
            written += piece.length;
            if (!response.write(piece)) {
              server.emit("wrote", written);
              response.once("drain", more);
              return;
            }
          }
        };
        more();
      });
      return server;
    },
    async run({ port, server }) {
      let written = 0;
      server.on("wrote", (bytes: number) => {
        written = bytes;
      });
      const client = await RawClient.connect(port);
      client.socket.pause();
      client.send(head());
      let last = -1;
      await eventually(
        async () => {
          if (written > 0 && written === last) return true;
          last = written;
          await new Promise((resolve) => setTimeout(resolve, 100));
          return false;
        },
        { what: "the app to stop writing" },
      );
      const bounded = written < 20_000_000;
      client.socket.resume();
      await eventually(() => written > last, { what: "the app to go on" });
      client.destroy();
      return bounded;
    },
    expected: true,
  }),
];
