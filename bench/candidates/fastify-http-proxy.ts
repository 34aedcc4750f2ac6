import proxy from "@fastify/http-proxy";
import fastify from "fastify";
import { targets } from "./targets.ts";

let turn = 0;
const app = fastify();
await app.register(proxy, {
  upstream: "",
  replyOptions: { getUpstream: () => targets[turn++ % targets.length]! },
  undici: { connections: 256, pipelining: 1 },
});
await app.listen({ port: Number(process.env["PORT"]), host: "127.0.0.1" });
process.send?.({ ready: true });
