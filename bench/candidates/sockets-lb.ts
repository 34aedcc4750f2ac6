import { createServer } from "node:http";
import { type ClusterOptions, cluster } from "@lb/core";
import { type SetupWorkerOptions, setupWorker } from "@lb/socket";
import { Server } from "socket.io";
import { noPage, serveFlood } from "./socket-app.ts";

const fromEnv = (name: string) => JSON.parse(process.env[name] ?? "{}") as object;
const options: ClusterOptions = { instances: 2, port: 0, affinity: "socket.io", ...fromEnv("CLUSTER") };

const app = await cluster(options, () => {
  const server = createServer(noPage);
  const io = new Server(server, { transports: ["websocket"], serveClient: false });
  setupWorker(io, fromEnv("SOCKET") as SetupWorkerOptions);
  serveFlood(io);
  return server;
});
if (app.role === "primary") {
  app.on("accept-failed", ({ message }) => console.error(`not accepted: ${message}`));
  const { url, instances } = app.status();
  process.send?.({ url, pids: instances.map(({ pid }) => pid) });
}
