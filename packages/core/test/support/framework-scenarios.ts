import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { Readable } from "node:stream";
import express from "express";
import fastify from "fastify";
import Koa from "koa";
import { Server as SocketServer } from "socket.io";
import { type Socket as ClientSocket, io } from "socket.io-client";
import { type ConnectionScenario, scenario } from "./connection-scenario.ts";
import { eventually } from "./eventually.ts";

const plain = { "Content-Type": "text/plain" };

/** What an app sees of a request, what it answers to bodies and streams, and its answer to an unknown path. */
async function tour(port: number): Promise<unknown> {
  const base = `http://127.0.0.1:${port}`;
  const facts = await (await fetch(`${base}/facts`)).json();
  const posted = await fetch(`${base}/json`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ list: Array.from({ length: 10_000 }, (_, i) => i) }),
  });
  const streamed = await (await fetch(`${base}/stream`)).text();
  const missing = await fetch(`${base}/missing`);
  await missing.text();
  return { facts, sum: await posted.text(), streamed: streamed.length, missing: missing.status };
}

const toured = {
  facts: { protocol: "http", secure: false, ip: "127.0.0.1" },
  sum: "49995000",
  streamed: 300_000,
  missing: 404,
};

const touredOverTls = { ...toured, facts: { protocol: "https", secure: true, ip: "127.0.0.1" } };

const sum = (list: readonly number[]) => `${list.reduce((total, value) => total + value, 0)}`;
const pieces = () => Readable.from(Array.from({ length: 300 }, () => "x".repeat(1_000)));

function socketIo(): Server {
  const server = createServer();
  const sockets = new SocketServer(server, { pingInterval: 200, pingTimeout: 2_000 });
  sockets.on("connection", (socket) => {
    socket.on("echo", (value, answer) => answer(value, socket.handshake.address));
    socket.on("leave", () => socket.disconnect(true));
    socket.on("disconnect", (reason) => server.emit("left", reason));
    socket.emit("greeting", "hello");
  });
  return server;
}

/** Talks for some pings and leaves. */
async function converse(port: number, transports: ("polling" | "websocket")[], server: Server): Promise<unknown> {
  const socket: ClientSocket = io(`http://127.0.0.1:${port}`, { transports, forceNew: true, reconnection: false });
  try {
    const greeting = new Promise((resolve) => socket.once("greeting", resolve));
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    const echo = (value: unknown) =>
      new Promise<unknown[]>((resolve) => socket.emit("echo", value, (...answer: unknown[]) => resolve(answer)));
    const [binary, address] = await echo(Buffer.alloc(200_000, 7));
    const last = transports.at(-1);
    await eventually(() => socket.io.engine.transport.name === last, { what: `the transport ${last}` });
    const [object] = await echo({ nested: ["ü", null] });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const alive = socket.connected;
    const left = once(server, "left");
    const gone = new Promise((resolve) => socket.once("disconnect", resolve));
    socket.emit("leave");
    return {
      greeting: await greeting,
      binary: Buffer.from(binary as Buffer).equals(Buffer.alloc(200_000, 7)),
      address: `${address}`.replace("::ffff:", ""),
      object,
      transport: socket.io.engine.transport.name,
      alive,
      app: (await left)[0],
      client: await gone,
    };
  } finally {
    socket.close();
  }
}

const conversed = (transport: string) => ({
  greeting: "hello",
  binary: true,
  address: "127.0.0.1",
  object: { nested: ["ü", null] },
  transport,
  alive: true,
  app: "server namespace disconnect",
  client: "io server disconnect",
});

export const frameworkScenarios: readonly ConnectionScenario[] = [
  scenario("Express", {
    app: () => {
      const app = express();
      app.get("/facts", ({ protocol, secure, ip }, response) => void response.json({ protocol, secure, ip }));
      app.post(
        "/json",
        express.json({ limit: "1mb" }),
        (request, response) => void response.send(sum(request.body.list)),
      );
      app.get("/stream", (_, response) => void pieces().pipe(response));
      return createServer(app);
    },
    run: ({ port }) => tour(port),
    expected: toured,
    expectedOverTls: touredOverTls,
  }),

  scenario("Fastify", {
    app: async () => {
      const app = fastify();
      app.get("/facts", async ({ protocol, ip, raw }) => ({
        protocol,
        secure: (raw.socket as { encrypted?: boolean }).encrypted === true,
        ip,
      }));
      app.post("/json", async (request) => sum((request.body as { list: number[] }).list));
      app.get("/stream", (_, reply) => reply.headers(plain).send(pieces()));
      await app.ready();
      return app.server;
    },
    run: ({ port }) => tour(port),
    expected: toured,
    expectedOverTls: touredOverTls,
  }),

  scenario("Koa", {
    app: () => {
      const app = new Koa();
      app.use(async (context) => {
        if (context.path === "/facts") {
          context.body = { protocol: context.protocol, secure: context.secure, ip: context.ip };
        } else if (context.path === "/json") {
          context.body = sum(JSON.parse(Buffer.concat(await context.req.toArray()).toString()).list);
        } else if (context.path === "/stream") {
          context.set(plain);
          context.body = pieces();
        }
      });
      return createServer(app.callback());
    },
    run: ({ port }) => tour(port),
    expected: toured,
    expectedOverTls: touredOverTls,
  }),

  scenario("Socket.IO over long polling", {
    app: socketIo,
    run: ({ port, server }) => converse(port, ["polling"], server),
    expected: conversed("polling"),
  }),

  scenario("Socket.IO over WebSocket", {
    app: socketIo,
    run: ({ port, server }) => converse(port, ["websocket"], server),
    expected: conversed("websocket"),
  }),

  scenario("Socket.IO that upgrades from long polling to WebSocket", {
    app: socketIo,
    run: ({ port, server }) => converse(port, ["polling", "websocket"], server),
    expected: conversed("websocket"),
  }),
];
