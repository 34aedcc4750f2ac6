/**
 * What the link itself costs: N logical clients in this process, each with one request at a time, over the link to one
 * forked `node:http` worker. No client sockets and no parsing on this side, so the sum is the link plus Node's server.
 *
 *     node bench/link.ts [--clients 64] [--seconds 3] [--target /small] [--head browser] [--once]
 *
 * `--once`: every exchange comes from a new client, as with `Connection: close`. `--plain`: the same over one Unix-socket
 * connection per client, what a pool of HTTP/1.1 connections costs.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLinkTransport } from "../packages/core/src/front/transport/link-transport.ts";
import type {
  Transport,
  UpstreamClient,
  UpstreamSink,
  UpstreamStream,
} from "../packages/core/src/front/transport/upstream.ts";
import { systemClock } from "../packages/core/src/model/clock.ts";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "64" },
    seconds: { type: "string", default: "3" },
    target: { type: "string", default: "/small" },
    head: { type: "string", default: "small" },
    once: { type: "boolean", default: false },
    plain: { type: "boolean", default: false },
  },
});

const browserHeaders =
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n" +
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
  "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCache-Control: no-cache\r\n" +
  "Cookie: session=4f9d2a7be1c04d0f9b8e; theme=dark; consent=analytics%3D0%26ads%3D0; visits=17\r\n" +
  "Referer: http://127.0.0.1:3000/some/page?with=query\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n" +
  "Sec-Fetch-Site: same-origin\r\nUpgrade-Insecure-Requests: 1\r\n";
const head =
  `GET ${values.target} HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n` +
  `${values.head === "browser" ? browserHeaders : ""}X-Forwarded-For: 127.0.0.1\r\n\r\n`;

const directory = mkdtempSync(join(tmpdir(), "lb-link-"));
const linkPath = join(directory, "link");
const httpPath = join(directory, "http");
const worker = fork(new URL("link-worker.ts", import.meta.url), [linkPath, httpPath]);
await once(worker, "message");

async function workerCpu(): Promise<number> {
  worker.send("cpu");
  const [usage] = (await once(worker, "message")) as [NodeJS.CpuUsage];
  return usage.user + usage.system;
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

let requests = 0;
let responseBytes = 0;
let running = true;

/** Learns the response's length from the first one, then only counts. */
function lengthOf(text: string): number {
  const headEnd = text.indexOf("\r\n\r\n");
  return headEnd + 4 + Number(/content-length: (\d+)/i.exec(text)![1]);
}

class Client implements UpstreamClient, UpstreamSink {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 12_345;
  readonly encrypted = false;
  readonly streams = new Set<UpstreamStream>();
  readonly #transport: Transport;
  #stream: UpstreamStream | undefined;
  #received = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  origin() {
    const { remoteAddress: address, remotePort: port } = this;
    return { address, port, localAddress: address, localPort: 80, tls: undefined };
  }

  start(): void {
    this.#received = 0;
    this.#stream = this.#transport.open(this, this);
    this.#stream.write(head);
  }

  upstreamBytes(buffer: Buffer, start: number, end: number): boolean {
    if (responseBytes === 0) responseBytes = lengthOf(buffer.toString("latin1", start, end));
    this.#received += end - start;
    if (this.#received < responseBytes) return true;
    requests++;
    this.#stream!.release();
    if (values.once) {
      for (const stream of this.streams) stream.destroy();
      if (running) new Client(this.#transport).start();
    } else if (running) {
      this.start();
    }
    return true;
  }

  upstreamEnd(): void {
    throw new Error("The worker ended a stream.");
  }

  upstreamFailed(failure: unknown): void {
    if (running) throw new Error("A stream failed.", { cause: failure });
  }

  upstreamWritable(): void {}
}

function startPlain(): void {
  const socket = connect(httpPath);
  let received = 0;
  socket.on("error", (error) => {
    if (running) throw error;
  });
  socket.on("data", (bytes: Buffer) => {
    if (responseBytes === 0) responseBytes = lengthOf(bytes.toString("latin1"));
    received += bytes.length;
    if (received < responseBytes) return;
    requests++;
    received = 0;
    if (running) socket.write(head, "latin1");
  });
  socket.write(head, "latin1");
}

const transport = createLinkTransport({
  endpoint: { id: "0.1", slot: 0, incarnation: 1, weight: 1, address: { kind: "unix", path: linkPath } },
  path: linkPath,
  clock: systemClock,
  onDown: (error) => {
    if (running) throw error;
  },
});
for (let i = 0; i < Number(values.clients); i++) {
  if (values.plain) startPlain();
  else new Client(transport).start();
}

/** On a machine that others use too, the cheapest windows tell most about the code, the median about the machine. */
const windowMs = 250;
const windows: { readonly rate: number; readonly front: number; readonly worker: number }[] = [];
await new Promise((resolve) => setTimeout(resolve, 1_000));
for (let at = 0; at < Number(values.seconds) * 1_000; at += windowMs) {
  const before = { requests, front: ownCpu(), worker: await workerCpu(), at: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, windowMs));
  const done = requests - before.requests;
  windows.push({
    rate: (done * 1_000) / (performance.now() - before.at),
    front: (ownCpu() - before.front) / done,
    worker: ((await workerCpu()) - before.worker) / done,
  });
}
windows.sort((a, b) => a.front + a.worker - b.front - b.worker);
const [best, median] = [0.1, 0.5].map((part) => windows[Math.floor(windows.length * part)]!);
const show = ({ rate, front, worker }: (typeof windows)[number]) =>
  `${Math.round(rate)} req/s, CPU per request: front ${front.toFixed(2)} µs, worker ${worker.toFixed(2)} µs`;
console.log(`${values.plain ? "plain" : "link"} ${values.target} ${values.clients} clients: ${show(best!)}`);
console.log(`  median: ${show(median!)}`);
running = false;
transport.close();
worker.disconnect();
rmSync(directory, { recursive: true });
