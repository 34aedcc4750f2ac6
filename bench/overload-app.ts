// An app that can do so much and no more, as a cluster of one instance, for bench/overload.ts.
import { createServer, type ServerResponse } from "node:http";
import { cluster } from "@lb/core";

/** What a request takes. */
const workMs = 20;

/** Work of the processor: one request at a time. */
function compute(response: ServerResponse): void {
  for (const until = performance.now() + workMs; performance.now() < until; );
  response.end("done\n");
}

/** Work of others, by so many connections to them: requests wait for one in the order in which they came, and all get theirs. */
const connections = 4;
let busy = 0;
const waiting: ServerResponse[] = [];

function ask(response: ServerResponse): void {
  waiting.push(response);
  next();
}

function next(): void {
  if (busy === connections) return;
  const response = waiting.shift();
  if (response === undefined) return;
  busy++;
  setTimeout(() => {
    busy--;
    response.end("done\n");
    next();
  }, workMs);
}

const app = process.env["BENCH_OVERLOAD_APP"] === "pool" ? ask : compute;
const adaptive = process.env["BENCH_OVERLOAD_LIMIT"] === "adaptive";

const started = await cluster(
  {
    port: 0,
    instances: 1,
    log: false,
    control: false,
    ...(adaptive && { limits: { maxRequestsInFlight: "adaptive" as const } }),
  },
  () => createServer((_request, response) => app(response)),
);
if (started.role === "primary") process.send!({ url: started.status().url });
