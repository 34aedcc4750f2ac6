import { createServer, type RequestListener, type Server } from "node:http";

const bodies: Record<string, Buffer> = {
  "/55": Buffer.from(`${"hello from a worker, which is what everybody gets".padEnd(54, ".")}\n`),
  "/16k": Buffer.alloc(16_384, "a"),
  "/1m": Buffer.alloc(1_048_576, "b"),
};

/** The app every candidate is put in front of. */
export const listener: RequestListener = (request, response) => {
  if (request.url === "/upload") {
    request.resume().once("end", () => response.end("all of it\n"));
    return;
  }
  const body = bodies[request.url ?? ""];
  if (body === undefined) {
    response.statusCode = 404;
    response.end();
    return;
  }
  response.setHeader("content-type", "text/plain");
  response.setHeader("content-length", body.length);
  response.end(body);
};

export function createApp(): Server {
  return createServer({ keepAliveTimeout: 65_000 }, listener);
}
