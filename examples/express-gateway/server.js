// An API gateway in one Express app: node server.js, then open http://127.0.0.1:3000/api/
// TARGETS=http://10.0.0.1:3000,http://10.0.0.2:3000 puts it before services of yours instead of three of its own.
import { createServer } from "node:http";
import { balance, connectionLimit, drain, health, overload, rateLimit } from "@lb/express";
import { securityHeaders } from "@lb/express/helmet";
import express from "express";

const { PORT = "3000", TARGETS } = process.env;
const targets = TARGETS?.split(",") ?? (await Promise.all(["red", "green", "blue"].map(startService)));
const ending = new AbortController();
const api = balance({ targets, affinity: "cookie", health: { active: { path: "/health", intervalMs: 1_000 } } });

const app = express();
app.use(health({ signal: ending.signal, checks: { targets: someTargetIsWell } }));
app.use(overload(), drain({ signal: ending.signal }));
app.use(securityHeaders(), connectionLimit({ perAddress: 20 }));
app.use("/api", rateLimit({ points: 30, burst: 50 }), api);
app.get("/", rateLimit({ points: 10, burst: 20 }), (_request, response) => response.json(api.status()));

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/api/ relays to ${targets.join(", ")}`);
});

process.once("SIGTERM", () => {
  ending.abort();
  server.close(() => process.exit());
});

function someTargetIsWell() {
  if (api.status().endpoints.every((endpoint) => endpoint.health !== "healthy")) throw new Error("no target is well");
}

/** A service for demonstration: tells its name, what it was asked, and where it is. */
async function startService(name) {
  const service = createServer((request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ service: name, path: request.url, client: request.headers["x-forwarded-for"] }));
  });
  await new Promise((listening) => service.listen(0, "127.0.0.1", listening));
  service.unref();
  return `http://127.0.0.1:${service.address().port}`;
}
