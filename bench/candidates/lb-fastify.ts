import { lbFastify } from "@lb/express/fastify";
import fastify from "fastify";
import { targets } from "./targets.ts";

const app = fastify();
await app.register(lbFastify, { targets, health: { active: { path: "/55", intervalMs: 1_000 } } });
await app.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" });
process.send?.({ ready: true });
