// Adapted from the tests of http-proxy-middleware (MIT, Copyright (c) 2015 Steven Chim).
import { deepEqual, equal, match } from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { createProxyMiddleware, type MiddlewareOptions } from "./adapters.ts";
import type { Case, Stage } from "./suite.ts";

export const socketCases: Case[] = [];
const appWith = (stage: Stage, options: MiddlewareOptions, path = "/") =>
  stage.express((app) => void app.use(path, createProxyMiddleware(stage, options)));
const socketTarget = async (stage: Stage, name: string) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (socket, request) =>
    socket.on("message", (said) => socket.send(`${name} ${request.url} ${said}`)),
  );
  stage.after(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const answeredOver = async (stage: Stage, url: string) => {
  const socket = new WebSocket(url.replace("http", "ws"));
  stage.after(async () => socket.terminate());
  await once(socket, "open");
  socket.send("foobar");
  const [said] = await once(socket, "message");
  return String(said);
};
const sockets = (name: string, run: Case["run"]) => socketCases.push({ file: "e2e/websocket.spec.ts", name, run });
sockets("option.ws: should proxy to path, without an ordinary request before", async (stage) => {
  const target = await socketTarget(stage, "a");
  equal(await answeredOver(stage, `${await appWith(stage, { target })}/socket`), "a /socket foobar");
});
sockets("should forward websocket upgrade to /ws-path without duplicating the mounted path", async (stage) => {
  const target = await socketTarget(stage, "a");
  equal(
    await answeredOver(stage, `${await appWith(stage, { target: `${target}/ws-path` }, "/ws-path")}/ws-path`),
    "a /ws-path foobar",
  );
});
sockets("should proxy websocket upgrades for two mounted paths with separate targets", async (stage) => {
  const [a, b] = [await socketTarget(stage, "a"), await socketTarget(stage, "b")];
  const url = await stage.express((app) => {
    app.use("/a", createProxyMiddleware(stage, { target: a }));
    app.use("/b", createProxyMiddleware(stage, { target: b }));
  });
  deepEqual(
    [await answeredOver(stage, `${url}/a/x`), await answeredOver(stage, `${url}/b/x`)],
    ["a /x foobar", "b /x foobar"],
  );
});
sockets("should proxy websocket upgrades on every attached server", async (stage) => {
  const target = await socketTarget(stage, "a");
  const handler = createProxyMiddleware(stage, { target });
  for (let round = 0; round < 2; round++) {
    equal(await answeredOver(stage, await stage.express((app) => void app.use(handler))), "a / foobar");
  }
});
sockets("with router and pathRewrite: should proxy to path", async (stage) => {
  const target = await socketTarget(stage, "a");
  const url = await appWith(stage, {
    target: "http://127.0.0.1:1",
    router: async () => target,
    pathRewrite: { "^/socket": "" },
  });
  equal(await answeredOver(stage, `${url}/socket`), "a / foobar");
});
sockets("with error in router, or an unreachable target: should handle error", async (stage) => {
  for (const options of [{ router: () => Promise.reject(new Error("broken")) }, { target: "http://127.0.0.1:1" }]) {
    const socket = new WebSocket((await appWith(stage, options)).replace("http", "ws"));
    const [error] = await once(socket, "error");
    match(String(error), /Unexpected server response: 50[02]/);
  }
});
