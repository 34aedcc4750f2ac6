// Against real servers: what users of a scenario do, and what a server that stands still looks like.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { Server as SocketServer } from "socket.io";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { loadTest } from "../src/index.ts";

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const constantly = (users: number, durationMs: number) => [
  { durationMs: 1, users },
  { durationMs, users },
];

test("users log in, keep their cookies, think, check, and are counted by what they do", async () => {
  const app = express().use(express.json());
  const seen = new Set<string>();
  app.post("/login", (request, response) => {
    response.cookie("session", (request.body as { user: string }).user, { path: "/" }).json({});
  });
  app.get("/basket", ({ headers: { cookie = "" } }, response) => {
    seen.add(cookie);
    response.json({ items: 3 });
  });
  const url = await listening(createServer(app));
  const report = await loadTest({
    url,
    stages: constantly(3, 500),
    random: () => 0.5,
    async scenario(user) {
      if (user.iteration === 0) await user.post("/login", { user: `u${user.id}` });
      const basket = await user.get("/basket?fresh=1");
      user.check("three items", (basket.json() as { items: number }).items === 3);
      await user.think([10, 20]);
    },
  });
  expect([...seen].toSorted()).toEqual(["session=u1", "session=u2", "session=u3"]);
  const { "POST /login": login, "GET /basket": basket } = report.byName;
  expect(login!.count).toBe(3);
  expect(basket!.count).toBe(report.iterations + (basket!.count - report.iterations));
  expect(basket!.statuses).toEqual({ 200: basket!.count });
  expect(report.checks["three items"]).toMatchObject({ failed: 0 });
  // Each thinks for 15 ms at least, so that three cannot do more than this.
  expect(basket!.count).toBeLessThanOrEqual((3 * 500) / 15 + 6);
  expect(report).toMatchObject({ users: 3, notBegun: null, passed: true });
});

test("a server that stands still is not made to look good: what is late counts from when it was due", async () => {
  const answer = (_: unknown, response: { end(text: string): void }) => void response.end("ok");
  let stalled: (() => void)[] | undefined;
  const server = createServer((request, response) => {
    if (stalled === undefined) answer(request, response);
    else stalled.push(() => answer(request, response));
  });
  const url = await listening(server);
  // Stands still for half a second in the middle of a second and a half.
  setTimeout(() => {
    stalled = [];
  }, 500);
  setTimeout(() => {
    const waiting = stalled ?? [];
    stalled = undefined;
    for (const each of waiting) each();
  }, 1_000);
  const report = await loadTest({ url, stages: constantly(2, 1_500), perSecond: 200 });
  expect(report.all.failed).toBe(0);
  // 300 were due, 100 of them while it stood still: a third waited, half of these for more than 250 ms. Two users alone would have told of two.
  expect(report.all.count + report.notBegun!).toBeGreaterThanOrEqual(295);
  expect(report.all.latencyMs.p90!).toBeGreaterThan(200);
  expect(report.all.latencyMs.max!).toBeGreaterThan(400);
});

test("WebSockets and Socket.IO are connected and measured", async () => {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on("connection", (socket) => socket.on("message", (text) => socket.send(`heard ${text}`)));
  new SocketServer(server).on("connection", (socket) => {
    socket.on("ask", (question: string, answer: (text: string) => void) => answer(`heard ${question}`));
  });
  server.on("upgrade", (request, socket, head) => {
    if (request.url!.startsWith("/ws"))
      sockets.handleUpgrade(request, socket, head, (open) => sockets.emit("connection", open));
  });
  const url = await listening(server);
  const report = await loadTest({
    url,
    stages: constantly(2, 400),
    async scenario(user) {
      const socket = await user.webSocket("/ws");
      socket.send("hello");
      user.check("echo", (await user.timed("message", () => socket.next())) === "heard hello");
      socket.close();
      const io = await user.socketIo({ transports: ["websocket"] });
      const heard = await user.timed("ask", () => io.emitWithAck("ask", "this"));
      user.check("answer", heard === "heard this");
      io.disconnect();
    },
  });
  expect(Object.keys(report.byName).toSorted()).toEqual(["Socket.IO connect", "WS /ws", "ask", "message"]);
  for (const { failed, count } of Object.values(report.byName)) expect([failed, count > 0]).toEqual([0, true]);
  expect([report.checks["echo"]!.failed, report.checks["answer"]!.failed]).toEqual([0, 0]);
});

test("nobody there: counted by reason, and not passed; a scenario that is wrong is said to be", async () => {
  const url = await listening(createServer());
  const { port } = new URL(url);
  const refused = await loadTest({
    url: `http://127.0.0.1:${Number(port) === 1 ? 2 : 1}/`,
    stages: constantly(1, 100),
  });
  expect(refused.all.failures).toEqual({ ECONNREFUSED: refused.all.count });
  expect(refused.passed).toBe(false);
  const wrong = await loadTest({
    url,
    stages: constantly(1, 50),
    scenario: async () => (undefined as unknown as { a: never }).a,
  });
  expect(Object.keys(wrong.checks)[0]).toMatch(/^the scenario threw: .*undefined/);
  expect(wrong.passed).toBe(false);
});
