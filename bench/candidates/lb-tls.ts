import { cluster } from "@lb/core";
import { createApp } from "../app.ts";

const { PORT, WORKER_PORT, TLS_CERT: cert = "", TLS_KEY: key = "" } = process.env;
const app = await cluster(
  {
    instances: 2,
    port: 0,
    workerPort: Number(WORKER_PORT),
    https: { port: Number(PORT), certificates: [{ cert, key }] },
    // As nginx has it beside us: the load generator does not open another one.
    http2: { maxRequests: 1_000_000_000, maxAgeMs: 86_400_000 },
  },
  createApp,
);
if (app.role === "primary") process.send?.({ ready: true, pids: app.status().instances.map(({ pid }) => pid) });
