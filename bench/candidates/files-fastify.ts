import fastifyStatic from "@fastify/static";
import { cluster } from "@lb/core";
import fastify from "fastify";

// `@fastify/static` in two instances behind lb.
const app = await cluster(
  { instances: 2, port: Number(process.env["PORT"]), workerPort: Number(process.env["WORKER_PORT"]) },
  () => fastify().register(fastifyStatic, { root: process.env["ROOT"]!, preCompressed: true }),
);
if (app.role === "primary") process.send?.({ ready: true, pids: app.status().instances.map(({ pid }) => pid) });
