/** A worker for `link.ts`: a plain `node:http` server that takes links, and plain HTTP, on Unix sockets. */
import { createServer } from "node:http";
import { createServer as createNetServer } from "node:net";
import { systemClock } from "../packages/core/src/model/clock.ts";
import { serveLink } from "../packages/core/src/worker/link/link-intake.ts";

const bodies: Record<string, Buffer | string> = {
  "/small": "x".repeat(55),
  "/16k": Buffer.alloc(16_384, "x"),
  "/1m": Buffer.alloc(1_048_576, "x"),
};

const server = createServer((request, response) => {
  response.end(bodies[request.url!] ?? "?");
});
const [linkPath, httpPath] = process.argv.slice(2);
server.listen(httpPath, () => {
  createNetServer((socket) => serveLink(socket, server, { clock: systemClock })).listen(linkPath, () => {
    process.send!("ready");
  });
});
process.on("message", () => process.send!(process.cpuUsage()));
process.on("disconnect", () => process.exit());
