// The program under chaos: primary and instances. Each instance notes in CHAOS_JOURNAL every request that it begins to work on.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Server } from "socket.io";
import { WebSocketServer } from "ws";
import type { Told } from "./cluster-process.ts";
import { journalWriter, now } from "./journal.ts";
import { Lateness } from "./lateness.ts";
import { pieces } from "./pieces.ts";

// What users get is what is built. The types are those of its source, which need no build.
const built = (name: string) => import(new URL(`../../packages/${name}/dist/index.js`, import.meta.url).href);
const { cluster, onDrain } = (await built("core")) as typeof import("../../packages/core/src/index.ts");
const { setupWorker } = (await built("socket")) as typeof import("../../packages/socket/src/index.ts");

const write = journalWriter(process.env["CHAOS_JOURNAL"]!);

const lateness = new Lateness();

const started = await cluster(JSON.parse(process.env["CHAOS_OPTIONS"]!), () => {
  onDrain(({ graceMs }) => write("draining", graceMs, lateness.around(now())));
  const server = createServer(serve);
  serveWebSockets(server);
  serveSocketIo(server);
  return server;
});

if (started.role === "primary") {
  const primary = started;
  const tell = (told: Told) => void process.send?.(told);
  primary.on("exit", ({ pid, reason, signal, exitCode }) => {
    if (pid !== undefined) tell({ kind: "exit", pid, at: now(), reason, signal, exitCode });
  });
  primary.on("instance", ({ pid, state }) => {
    if (state === "ready" && pid !== null) tell({ kind: "ready", pid, at: now() });
  });
  // These mean that something of ours failed.
  for (const event of ["agent-fault", "link-broken", "accept-failed", "guard-failed", "connections-refused"] as const) {
    primary.on(event, (argument: unknown) => tell({ kind: "fault", what: `${event} ${JSON.stringify(argument)}` }));
  }
  process.on("message", async ({ id, operation, argument }: { id: number; operation: string; argument: unknown }) => {
    try {
      if (operation === "heap") return tell({ kind: "done", id, result: heapInUseMb() });
      const call = primary[operation as "scale"] as (argument: unknown) => unknown;
      tell({ kind: "done", id, result: await call.call(primary, argument) });
    } catch (error) {
      tell({ kind: "done", id, error: String(error) });
    }
  });
  process.channel?.unref();
  tell({ kind: "up", port: primary.port, httpsPort: primary.status().https?.port ?? 0 });
}

/** What is really in use, and not merely not yet collected. */
function heapInUseMb(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 1_048_576);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const id = url.searchParams.get("id") ?? "none";
  const ms = Number(url.searchParams.get("ms") ?? 0);
  write("began", id);
  response.setHeader("X-Pid", process.pid);
  switch (url.pathname) {
    case "/poison":
      write("dying");
      if (url.searchParams.get("how") === "throw") throw new Error("poison");
      process.exit(7);
      break;
    case "/crash":
      response.end(id);
      setTimeout(() => {
        write("dying");
        throw new Error("an exception that nobody catches");
      }, 5);
      return;
    case "/block":
      response.end(id, () => setImmediate(block, ms));
      return;
    case "/stream":
      return void stream(id, response);
    case "/events":
      return void events(id, response);
    default:
      answer(id, ms, { request, response });
  }
}

function answer(
  id: string,
  ms: number,
  { request, response }: Record<"request", IncomingMessage> & Record<"response", ServerResponse>,
): void {
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on("end", () => setTimeout(() => response.end(`${id} ${length}`), ms));
}

async function stream(id: string, response: ServerResponse): Promise<void> {
  for (const part of pieces(id)) {
    response.write(part);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (response.destroyed) return;
  }
  response.end();
}

/** Server-sent events, until the client leaves. */
async function events(id: string, response: ServerResponse): Promise<void> {
  response.setHeader("Content-Type", "text/event-stream");
  for (let index = 0; !response.destroyed; index += 1) {
    response.write(`id: ${index}\ndata: ${id}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Echoes. */
function serveWebSockets(server: ReturnType<typeof createServer>): void {
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on("headers", (headers) => headers.push(`X-Pid: ${process.pid}`));
  server.on("upgrade", (request, socket, head) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname !== "/socket") return;
    write("began", url.searchParams.get("id") ?? "none");
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", () => webSocket.terminate());
      webSocket.on("message", (message, isBinary) => webSocket.send(message, { binary: isBinary }));
    });
  });
}

/** What a user says is acknowledged, and sent to the user's room, which goes through the adapter. */
function serveSocketIo(server: ReturnType<typeof createServer>): void {
  const io = new Server(server, { connectionStateRecovery: {}, destroyUpgrade: false });
  setupWorker(io, { drain: { spreadMs: 1_000 } });
  // Before the handshake, which takes a moment: what dies in it was begun.
  io.engine.use(
    ({ _query: { id = "none", sid } }: { _query: { id?: string; sid?: string } }, _: unknown, next: () => void) => {
      if (sid === undefined) write("began", id);
      next();
    },
  );
  io.on("connection", (socket) => {
    const { user } = socket.handshake.auth as { user: string };
    if (!socket.recovered) void socket.join(user);
    socket.on("say", (message: number, acknowledge: () => void) => {
      write("took", `${user}/${message}`);
      io.to(user).emit("said", message);
      acknowledge();
    });
  });
}
