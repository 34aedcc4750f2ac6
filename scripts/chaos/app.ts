// The program under chaos: primary and instances. Each instance notes every request it begins to work on, `id pid`, in CHAOS_WORKED.
import { appendFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { WebSocketServer } from "ws";
import type { Told } from "./cluster-process.ts";
import { streamed } from "./streamed.ts";

// What users get is what is built. The types are those of its source, which need no build.
const built = new URL("../../packages/core/dist/index.js", import.meta.url).href;
const { cluster } = (await import(built)) as typeof import("../../packages/core/src/index.ts");

const worked = process.env["CHAOS_WORKED"]!;

const started = await cluster(JSON.parse(process.env["CHAOS_OPTIONS"]!), () => {
  const server = createServer(serve);
  new WebSocketServer({ server }).on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
  return server;
});

if (started.role === "primary") {
  const primary = started;
  const tell = (told: Told) => void process.send?.(told);
  primary.on("exit", ({ instance, pid, reason, signal, exitCode }) => {
    tell({ kind: "exit", instance, pid, reason, signal, exitCode });
  });
  process.on("message", async ({ id, operation, argument }: { id: number; operation: string; argument: unknown }) => {
    try {
      const call = primary[operation as "scale"] as (argument: unknown) => unknown;
      tell({ kind: "done", id, result: await call.call(primary, argument) });
    } catch (error) {
      tell({ kind: "done", id, error: String(error) });
    }
  });
  process.channel?.unref();
  tell({ kind: "up", port: primary.port });
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const id = url.searchParams.get("id") ?? "none";
  appendFileSync(worked, `${id} ${process.pid}\n`);
  switch (url.pathname) {
    case "/poison":
      if (url.searchParams.get("how") === "throw") throw new Error("poison");
      process.exit(7);
      break;
    case "/crash":
      response.end(id);
      setTimeout(() => {
        throw new Error("an exception that nobody catches");
      }, 5);
      return;
    case "/block":
      response.end(id, () => setImmediate(block, Number(url.searchParams.get("ms"))));
      return;
    case "/stream":
      return void stream(id, response);
    default:
      answer(id, request, response);
  }
}

function answer(id: string, request: IncomingMessage, response: ServerResponse): void {
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on("end", () => setTimeout(() => response.end(`${id} ${length}`), 3));
}

async function stream(id: string, response: ServerResponse): Promise<void> {
  for (const part of streamed(id)) {
    response.write(part);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (response.destroyed) return;
  }
  response.end();
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
