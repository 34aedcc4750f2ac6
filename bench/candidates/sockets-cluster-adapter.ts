import cluster from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import { createAdapter, setupPrimary } from "@socket.io/cluster-adapter";
import { Server } from "socket.io";
import { noPage, serveFlood } from "./socket-app.ts";

// WebSockets need no stickiness: the clients have no other transport.
if (cluster.isPrimary) {
  setupPrimary();
  cluster.setupPrimary({ serialization: "advanced" });
  const workers = [cluster.fork(), cluster.fork()];
  const [[{ port }]] = (await Promise.all(workers.map((worker) => once(worker, "listening")))) as [
    [{ port: number }],
    unknown,
  ];
  process.on("SIGTERM", () => {
    for (const { process: child } of workers) child.kill();
    process.exit();
  });
  process.send?.({ url: `http://127.0.0.1:${port}`, pids: workers.map(({ process: child }) => child.pid) });
} else {
  const server = createServer(noPage);
  const io = new Server(server, { adapter: createAdapter(), transports: ["websocket"], serveClient: false });
  serveFlood(io);
  server.listen(0, "127.0.0.1");
}
