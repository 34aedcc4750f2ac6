// An API gateway in Fastify, two instances of it behind one port: node server.js, then open http://127.0.0.1:3000/api/
// TARGETS=http://10.0.0.1:3000,http://10.0.0.2:3000 puts it before services of yours instead of three of its own.
import { createServer } from "node:http";
import { cluster } from "@lb/core";
import { connectionLimit, drain, health, identity, lbFastify, overload, rateLimit } from "@lb/express/fastify";
import { securityHeaders } from "@lb/express/fastify-helmet";
import fastify from "fastify";

const targets = process.env.TARGETS ?? (await Promise.all(["red", "green", "blue"].map(startService))).join(",");

const gateway = await cluster({ instances: 2, env: { TARGETS: targets } }, async () => {
  const app = fastify();
  await app.register(health);
  await app.register(overload);
  await app.register(drain);
  await app.register(identity);
  await app.register(securityHeaders);
  await app.register(connectionLimit, { perAddress: 20 });
  // Both instances count together.
  await app.register(rateLimit, { points: 30, burst: 50 });
  await app.register(lbFastify, {
    prefix: "/api",
    targets: targets.split(","),
    affinity: { cookie: { secret: "every instance has to know this one, so give your own" } },
    health: { active: { path: "/health", intervalMs: 1_000 } },
  });
  app.get("/", () => app.gateways.get("/api").status());
  return app;
});

if (gateway.role === "primary") console.log(`${gateway.url}/api/ relays to ${targets}`);

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
