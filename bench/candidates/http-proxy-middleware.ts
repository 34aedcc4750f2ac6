import { Agent } from "node:http";
import express from "express";
import { createProxyMiddleware } from "http-proxy-middleware";
import { targets } from "./targets.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 1_024, maxFreeSockets: 1_024 });
let turn = 0;
const app = express();
app.use(
  createProxyMiddleware({ agent, xfwd: true, target: targets[0]!, router: () => targets[turn++ % targets.length]! }),
);
app.listen(Number(process.env["PORT"]), "127.0.0.1", () => process.send?.({ ready: true }));
