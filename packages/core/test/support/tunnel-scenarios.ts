import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { type ConnectionScenario, scenario } from "./connection-scenario.ts";
import { RawClient } from "./raw-client.ts";
import { sha256 } from "./scenario-parts.ts";

const upgrade = "GET / HTTP/1.1\r\nHost: parity\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n";
const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n";

function tunnelling(begin: (socket: Duplex, head: Buffer, request: IncomingMessage) => void) {
  return () => createServer().on("upgrade", (request, socket, head) => begin(socket, head, request));
}

function webSockets(serve: (socket: WebSocket, server: WebSocketServer) => void) {
  return () => {
    const server = createServer();
    const sockets: WebSocketServer = new WebSocketServer({ server });
    sockets.on("connection", (socket) => serve(socket, sockets));
    return server;
  };
}

async function openWebSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  return socket;
}

const closing = async (socket: WebSocket) => {
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return [code, reason.toString()];
};

export const tunnelScenarios: readonly ConnectionScenario[] = [
  scenario("ws: text, binary and large messages are echoed, pings answered", {
    app: webSockets((socket) => {
      socket.on("message", (data: Buffer, binary) => socket.send(data, { binary }));
    }),
    async run({ port }) {
      const socket = await openWebSocket(port);
      const observed: unknown[] = [];
      const large = randomBytes(5_000_000);
      for (const message of ["text ü€", Buffer.from([0, 255]), large]) {
        socket.send(message);
        const [data, binary] = (await once(socket, "message")) as [Buffer, boolean];
        observed.push(binary ? sha256(data) === sha256(message as Buffer) : data.toString());
      }
      socket.ping("are you there");
      observed.push(((await once(socket, "pong")) as [Buffer])[0].toString());
      socket.close(1000, "done");
      return [...observed, await closing(socket)];
    },
    expected: ["text ü€", true, true, "are you there", [1000, "done"]],
  }),

  scenario("ws: a thousand messages in order, both ways at once", {
    app: webSockets((socket) => {
      for (let i = 0; i < 1_000; i++) socket.send(`${i}`);
      let next = 0;
      socket.on("message", (data) => {
        if (`${data}` !== `${next}`) socket.close(4_000, `got ${data}, not ${next}`);
        next++;
        if (next === 1_000) socket.close(4_001, "in order");
      });
    }),
    async run({ port }) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      const got: string[] = [];
      socket.on("message", (data) => got.push(`${data}`));
      await once(socket, "open");
      for (let i = 0; i < 1_000; i++) socket.send(`${i}`);
      const [code, reason] = await closing(socket);
      return [code, reason, got.every((message, i) => message === `${i}`), got.length];
    },
    expected: [4_001, "in order", true, 1_000],
  }),

  scenario("ws: either side's close and either side's terminate reach the other", {
    app: () => {
      const server = createServer();
      const sockets = new WebSocketServer({ server });
      sockets.on("connection", (socket, request) => {
        socket.on("error", () => {});
        socket.on("close", (code, reason) => server.emit("seen", [code, reason.toString()]));
        if (request.url === "/close") socket.close(4_100, "by the app");
        if (request.url === "/terminate") socket.terminate();
      });
      return server;
    },
    async run({ port, server }) {
      const observed: unknown[] = [];
      for (const [path, act] of [
        ["/close", () => {}],
        ["/terminate", () => {}],
        ["/", (socket: WebSocket) => socket.close(4_200, "by the client")],
        ["/", (socket: WebSocket) => socket.terminate()],
      ] as const) {
        const seen = once(server, "seen");
        const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
        const closed = closing(socket);
        await once(socket, "open");
        act(socket);
        observed.push({ app: (await seen)[0], client: await closed });
      }
      return observed;
    },
    expected: [
      { app: [4_100, "by the app"], client: [4_100, "by the app"] },
      { app: [1_006, ""], client: [1_006, ""] },
      { app: [4_200, "by the client"], client: [4_200, "by the client"] },
      { app: [1_006, ""], client: [1_006, ""] },
    ],
  }),

  scenario("bytes sent behind the upgrade request reach the app as its head", {
    scope: "connection",
    app: tunnelling((socket, head) => {
      socket.write(switching);
      socket.end(`head ${head}`);
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      client.send(`${upgrade}early`);
      await client.closed;
      client.destroy();
      return client.pending.toString("latin1").slice(switching.length);
    },
    expected: "head early",
  }),

  scenario("an upgrade that the app refuses on the socket", {
    scope: "connection",
    app: tunnelling((socket) => socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")),
    async run({ port }) {
      const client = await RawClient.connect(port);
      const { status } = await client.send(upgrade).response();
      await client.closed;
      client.destroy();
      return status;
    },
    expected: 401,
  }),

  scenario("socket.pipe(socket) echoes megabytes and ends when the client does", {
    app: tunnelling((socket, head) => {
      socket.write(switching);
      socket.unshift(head);
      socket.pipe(socket);
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      await client.send(upgrade).until(() => client.pending.length >= switching.length);
      const bytes = randomBytes(6_000_000);
      client.send(bytes);
      client.socket.end();
      await client.closed;
      client.destroy();
      return sha256(client.pending.subarray(switching.length)) === sha256(bytes);
    },
    expected: true,
  }),

  scenario("reading with 'readable', read(n) and for await, after long pauses", {
    scope: "connection",
    app: tunnelling(async (socket, head) => {
      socket.write(switching);
      socket.unshift(head);
      await new Promise((resolve) => setTimeout(resolve, 50));
      let bytes = 0;
      socket.on("readable", () => {
        for (let piece = socket.read(1_000); piece !== null; piece = socket.read(1_000)) {
          bytes += piece.length;
          if (bytes !== 1_000_000) continue;
          socket.removeAllListeners("readable");
          void rest(socket, bytes);
          return;
        }
      });
    }),
    async run({ port }) {
      const client = await RawClient.connect(port);
      client.send(upgrade);
      client.send(Buffer.alloc(3_000_000));
      client.socket.end();
      await client.closed;
      client.destroy();
      return client.pending.toString("latin1").slice(switching.length);
    },
    expected: "3000000",
  }),

  scenario("half-closes and lets the other side go on", {
    app: tunnelling((socket) => {
      socket.write(switching);
      socket.end("no more from here");
      const heard: string[] = [];
      socket.on("data", (bytes: Buffer) => heard.push(bytes.toString()));
      socket.on("end", () => socket.emit("heard-all", heard.join("")));
    }),
    async run({ port, server }) {
      const heard = new Promise((resolve) => {
        server.prependListener("upgrade", (_, socket) => socket.on("heard-all", resolve));
      });
      const client = await RawClient.connect(port);
      await client.send(upgrade).closed;
      client.send("still ");
      client.send("talking");
      client.socket.end();
      const observed = [client.pending.toString("latin1").slice(switching.length), await heard];
      client.destroy();
      return observed;
    },
    expected: ["no more from here", "still talking"],
  }),
];

async function rest(socket: Duplex, before: number): Promise<void> {
  let bytes = before;
  // When all is read Node 22 and 26 destroy what is iterated by itself, before the answer is written.
  for await (const piece of socket.iterator({ destroyOnReturn: false })) bytes += (piece as Buffer).length;
  socket.end(`${bytes}`);
}
