import cluster from "node:cluster";
import { once } from "node:events";
import { createApp } from "../app.ts";

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  await Promise.all(workers.map((worker) => once(worker, "listening")));
  process.on("SIGTERM", () => {
    for (const { process: child } of workers) child.kill();
    process.exit();
  });
  process.send?.({ ready: true, pids: workers.map(({ process: child }) => child.pid) });
} else {
  createApp().listen(Number(process.env["PORT"]), "127.0.0.1", 4_096);
}
