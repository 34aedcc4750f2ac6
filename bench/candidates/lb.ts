import { cluster } from "@lb/core";
import { createApp } from "../app.ts";

const app = await cluster(
  {
    instances: 2,
    port: Number(process.env["PORT"]),
    workerPort: Number(process.env["WORKER_PORT"]),
    ...JSON.parse(process.env["LB_BENCH_OPTIONS"] ?? "{}"),
  },
  createApp,
);
if (app.role === "primary") process.send?.({ ready: true, pids: app.status().instances.map(({ pid }) => pid) });
