import { createServer } from "node:http";
import { cluster } from "@lb/core";

// All requests are of files; the instances are there as they are in a deployment, and have nothing to do.
const app = await cluster(
  {
    instances: 2,
    port: Number(process.env["PORT"]),
    workerPort: Number(process.env["WORKER_PORT"]),
    routes: [{ to: { files: process.env["ROOT"]! } }],
  },
  () => createServer((_request, response) => response.end("app\n")),
);
if (app.role === "primary") process.send?.({ ready: true, pids: app.status().instances.map(({ pid }) => pid) });
