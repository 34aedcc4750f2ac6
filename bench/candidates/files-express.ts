import { cluster } from "@lb/core";
import express from "express";

// `express.static` in two instances behind lb.
const app = await cluster(
  { instances: 2, port: Number(process.env["PORT"]), workerPort: Number(process.env["WORKER_PORT"]) },
  () => express().use(express.static(process.env["ROOT"]!)),
);
if (app.role === "primary") process.send?.({ ready: true, pids: app.status().instances.map(({ pid }) => pid) });
