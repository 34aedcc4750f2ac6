import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "vitest";
import { type ConnectionScenario, scenario } from "./connection-scenario.ts";
import { eventually } from "./eventually.ts";
import { RawClient } from "./raw-client.ts";

const head = (path = "/") => `GET ${path} HTTP/1.1\r\nHost: parity\r\n\r\n`;

/** A server whose listener tells the test things with `tell`. */
function telling(
  listener: (request: IncomingMessage, response: ServerResponse, tell: (what: unknown) => void) => void,
): () => Server {
  return () => {
    const server: Server = createServer((request, response) =>
      listener(request, response, (what) => server.emit("told", what)),
    );
    return server;
  };
}

/** All that the app tells while `act` runs. */
async function told(server: Server, act: () => Promise<unknown>): Promise<unknown[]> {
  const heard: unknown[] = [];
  server.on("told", (what) => heard.push(what));
  await act();
  return heard;
}

/** Sends one request, waits for the connection's end, and says how long it took in units of 100 ms. */
async function untilClosed(port: number, request = head()): Promise<number> {
  const client = await RawClient.connect(port);
  const startedAt = performance.now();
  client.send(request);
  await client.closed;
  client.destroy();
  // Rounded: the timers of Node and of the kernel may be a few milliseconds early by this clock.
  return Math.round((performance.now() - startedAt) / 100);
}

const ownAddress = {
  remote: ["127.0.0.1", "the client's port", "IPv4"],
  local: ["127.0.0.1", "IPv4", true],
  address: ["127.0.0.1", "IPv4"],
  encrypted: false,
};

export const socketScenarios: readonly ConnectionScenario[] = [
  scenario("the app sees the client's own address and port, and its own", {
    app: telling((request, response) => {
      const { socket } = request;
      const address = socket.address() as AddressInfo;
      response.end(
        JSON.stringify({
          remote: [socket.remoteAddress, socket.remotePort, socket.remoteFamily],
          local: [socket.localAddress, socket.localFamily, socket.localPort === address.port],
          address: [address.address, address.family],
          encrypted: "encrypted" in socket && socket.encrypted === true,
        }),
      );
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      const { body } = await client.send(head()).response();
      const seen = JSON.parse(body.toString());
      const own = client.socket.localPort;
      client.destroy();
      return { ...seen, remote: seen.remote.map((fact: unknown) => (fact === own ? "the client's port" : fact)) };
    },
    expected: ownAddress,
    // The port is the relay's, between this client and TLS.
    expectedOverTls: { ...ownAddress, remote: ["127.0.0.1", expect.any(Number), "IPv4"], encrypted: true },
  }),

  scenario("the socket's state, its counters and the calls that change nothing here", {
    scope: "connection",
    app: telling((request, response, tell) => {
      const { socket } = request;
      tell([socket.readyState, socket.connecting, socket.pending, socket.destroyed, socket.writable, socket.readable]);
      tell([
        socket.setNoDelay(true) === socket,
        socket.setKeepAlive(true, 1_000) === socket,
        socket.ref() === socket,
        socket.unref() === socket,
        socket.setTimeout(0) === socket,
        socket.timeout,
      ]);
      tell(["bytes read", socket.bytesRead]);
      socket.once("close", (hadError: boolean) => {
        tell(["closed", hadError, socket.readyState, socket.destroyed, socket.bytesWritten]);
      });
      response.sendDate = false;
      response.writeHead(200, { Connection: "close", "Content-Length": 4 });
      response.end("four");
    }),
    async run({ port, server }) {
      const heard = await told(server, () => untilClosed(port));
      await eventually(() => heard.length === 4, { what: "the app's close" });
      return heard;
    },
    expected: [
      ["open", false, false, false, true, true],
      [true, true, true, true, true, 0],
      ["bytes read", head().length],
      ["closed", false, "closed", true, 61],
    ],
  }),

  scenario("socket.setTimeout fires when nothing moves, and not before", {
    app: telling((request, response, tell) => {
      request.socket.setTimeout(300, () => {
        tell("timeout");
        response.end("late");
      });
      tell(request.socket.timeout);
      // Activity moves it: five times 100 ms, then silence.
      response.writeHead(200, { Connection: "close" });
      let writes = 0;
      const busy = setInterval(() => {
        response.write("x");
        writes++;
        if (writes === 5) clearInterval(busy);
      }, 100);
    }),
    async run({ port, server }) {
      let took = 0;
      const heard = await told(server, async () => {
        took = await untilClosed(port);
      });
      return [...heard, took >= 7];
    },
    expected: [300, "timeout", true],
  }),

  scenario("request, response and server are told of a timeout; with no listener the socket is destroyed", {
    scope: "connection",
    app: telling((request, response, tell) => {
      if (request.url === "/request") request.setTimeout(100, () => response.end("request"));
      else if (request.url === "/response") response.setTimeout(100, () => response.end("response"));
      else {
        response.on("close", () => tell("closed"));
        request.socket.setTimeout(100);
      }
    }),
    async run({ port, server }) {
      const bodies: string[] = [];
      // A request can only be late while it is not complete.
      for (const [path, fields] of [
        ["/request", "Content-Length: 5\r\n"],
        ["/response", ""],
      ]) {
        const client = await RawClient.connect(port);
        client.send(`POST ${path} HTTP/1.1\r\nHost: parity\r\n${fields}\r\n`);
        bodies.push((await client.response()).body.toString());
        client.destroy();
      }
      const destroyed = await told(server, () => untilClosed(port, head("/nobody")));
      server.on("timeout", (socket: Socket) => socket.end("HTTP/1.1 503 Late\r\n\r\n"));
      const last = await RawClient.connect(port);
      const { status } = await last.send(head("/server")).response();
      last.destroy();
      return [...bodies, ...destroyed, status];
    },
    expected: ["request", "response", "closed", 503],
  }),

  scenario("server.setTimeout bounds the silence of every connection", {
    app: () => {
      const server = createServer(() => {});
      server.setTimeout(200);
      return server;
    },
    run: async ({ port }) => (await untilClosed(port)) >= 2,
    expected: true,
  }),

  scenario("server.keepAliveTimeout never cuts an exchange, however slow", {
    app: () => {
      const server = createServer((_, response) => {
        setTimeout(() => response.end("slow"), 150);
      });
      server.keepAliveTimeout = 50;
      return server;
    },
    async run({ port }) {
      const client = await RawClient.connect(port);
      const bodies: string[] = [];
      for (let i = 0; i < 3; i++) bodies.push((await client.send(head()).response()).body.toString());
      client.destroy();
      return bodies;
    },
    expected: ["slow", "slow", "slow"],
  }),

  scenario("closeIdleConnections closes the idle, closeAllConnections the rest", {
    scope: "connection",
    app: telling((request, response) => {
      if (request.url !== "/hang") response.end("ok");
    }),
    async run({ port, server }) {
      const [idle, busy] = await Promise.all([RawClient.connect(port), RawClient.connect(port)]);
      await idle.send(head()).response();
      busy.send(head("/hang"));
      await once(server, "request");
      server.closeIdleConnections();
      await idle.closed;
      const busyLived = !busy.ended;
      server.closeAllConnections();
      await busy.closed;
      idle.destroy();
      busy.destroy();
      return busyLived;
    },
    expected: true,
  }),

  scenario("a request that is not read stops its client; reading goes on where it stopped", {
    app: telling((request, response, tell) => {
      request.pause();
      setTimeout(() => {
        let bytes = 0;
        request.on("data", (piece: Buffer) => {
          bytes += piece.length;
        });
        request.on("end", () => {
          tell(bytes);
          response.end("thanks");
        });
        request.resume();
      }, 200);
    }),
    async run({ port, server }) {
      return told(server, async () => {
        const client = await RawClient.connect(port);
        client.send("POST / HTTP/1.1\r\nHost: parity\r\nContent-Length: 30000000\r\n\r\n");
        client.send(Buffer.alloc(30_000_000));
        await client.response();
        client.destroy();
      });
    },
    expected: [30_000_000],
  }),

  scenario("callbacks and events keep the request's AsyncLocalStorage", {
    app: () => {
      const storage = new AsyncLocalStorage<string>();
      const server = createServer((request, response) => {
        const heard: unknown[] = [];
        storage.run(request.url!, () => {
          response.on("finish", () => heard.push(["finish", storage.getStore()]));
          response.on("close", () => {
            heard.push(["close", storage.getStore()]);
            server.emit("heard", heard);
          });
          const body = Buffer.alloc(request.url === "/large" ? 3_000_000 : 10);
          response.write(body, () => heard.push(["written", storage.getStore()]));
          response.end();
        });
      });
      return server;
    },
    async run({ port, server }) {
      const observed: unknown[] = [];
      for (const path of ["/small", "/large"]) {
        const heard = once(server, "heard");
        const client = await RawClient.connect(port);
        await client.send(head(path)).response();
        observed.push((await heard)[0]);
        client.destroy();
      }
      return observed;
    },
    expected: ["/small", "/large"].map((path) => [
      ["written", path],
      ["finish", path],
      ["close", path],
    ]),
  }),

  scenario("a connection listener can refuse connections", {
    scope: "connection",
    app: () => createServer().on("connection", (socket: Socket) => socket.destroy()),
    async run({ port }) {
      const client = await RawClient.connect(port);
      client.send(head());
      await client.closed;
      client.destroy();
      return client.pending.length;
    },
    expected: 0,
  }),
];
