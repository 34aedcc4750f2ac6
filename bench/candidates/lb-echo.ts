import { cluster } from "@lb/core";
import { createEchoApp } from "../echo-app.ts";

const app = await cluster(
  { instances: 2, port: Number(process.env["PORT"]), workerPort: Number(process.env["WORKER_PORT"]) },
  createEchoApp,
);
if (app.role === "primary") process.send?.({ ready: true, pids: app.status().instances.map(({ pid }) => pid) });
