import cluster from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import { setupMaster, setupWorker } from "@socket.io/sticky";
import { Server } from "socket.io";
import { createApp } from "../app.ts";

if (cluster.isPrimary) {
  const server = createServer();
  setupMaster(server, { loadBalancingMethod: "least-connection" });
  // It sends buffers.
  cluster.setupPrimary({ serialization: "advanced" });
  const workers = [cluster.fork(), cluster.fork()];
  await Promise.all(workers.map((worker) => once(worker, "message")));
  server.listen(Number(process.env["PORT"]), "127.0.0.1", 4_096);
  await once(server, "listening");
  process.on("SIGTERM", () => {
    for (const { process: child } of workers) child.kill();
    process.exit();
  });
  process.send?.({ ready: true, pids: workers.map(({ process: child }) => child.pid) });
} else {
  setupWorker(new Server(createApp()));
  process.send?.("ready");
}
