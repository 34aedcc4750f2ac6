import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { test } from "vitest";
import type { Endpoint } from "../../model/endpoint.ts";
import type { Transport, UpstreamClient, UpstreamSink, UpstreamStream } from "../transport/upstream.ts";

// Loaded by Node itself: Vitest's module runner makes a getter of every import, which costs more than what is measured.
const load = createRequire(import.meta.url);
const { defaultFrontSettings } = load(
  "../../../test/support/default-settings.ts",
) as typeof import("../../../test/support/default-settings.ts");
const { balance } = load(
  "../../../test/support/manual-balancer.ts",
) as typeof import("../../../test/support/manual-balancer.ts");
const { systemClock } = load("../../model/clock.ts") as typeof import("../../model/clock.ts");
const { leastConnections } = load("../../strategies/index.ts") as typeof import("../../strategies/index.ts");
const { AccessGuard } = load("../access-guard.ts") as typeof import("../access-guard.ts");
const { DenyList } = load("../deny-list.ts") as typeof import("../deny-list.ts");
const { ClientConnection } = load("./client-connection.ts") as typeof import("./client-connection.ts");
const { ProxyFront } = load("./proxy-front.ts") as typeof import("./proxy-front.ts");

// What the front itself does for a request, without sockets, links and Node's streams: those cost ten times as much and hide it.

/** Takes what it is given. */
class QuickSocket extends EventEmitter {
  readonly remotePort = 40_000;
  readonly writableLength = 0;
  readonly writableNeedDrain = false;

  write(): boolean {
    return true;
  }
}

/** Each client's one stream to an endpoint, as the link has it. */
class QuickTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly #streams = new Map<UpstreamClient, UpstreamStream>();

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  open(client: UpstreamClient, sink: UpstreamSink): UpstreamStream {
    asked = sink;
    let stream = this.#streams.get(client);
    if (stream === undefined) {
      const nothing = () => {};
      const calls = { redirect: nothing, end: nothing, pause: nothing, resume: nothing, release: nothing };
      stream = { reused: true, write: () => true, destroy: nothing, ...calls };
      this.#streams.set(client, stream);
    }
    return stream;
  }

  close(): void {}
}

const facts = { peerAddress: "203.0.113.9", peerTrusted: false, encrypted: false, localPort: 3000 };
let asked: UpstreamSink | undefined;

/** 64 connections whose clients ask one after the other. */
function requests(head: string): () => void {
  const { balancer, all } = balance(2, { strategy: leastConnections(), clock: systemClock });
  const denied = new DenyList(systemClock);
  const front = new ProxyFront({
    settings: { ...defaultFrontSettings, listeners: [] },
    balancer,
    clock: systemClock,
    responders: [new AccessGuard({ allow: undefined, deny: (address) => denied.find(address) !== undefined })],
    backend: (endpoint) => ({ transport: new QuickTransport(endpoint), responseLines: "X-Backend-Server: one\r\n" }),
  });
  front.update(all);
  const sockets = Array.from({ length: 64 }, () => {
    const socket = new QuickSocket();
    new ClientConnection(socket as unknown as Socket, facts, front);
    return socket;
  });
  const request = Buffer.from(`GET /55 HTTP/1.1\r\nHost: example.com\r\n${head}\r\n`, "latin1");
  const fields = "Content-Type: text/plain\r\nContent-Length: 55\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
  const response = Buffer.from(`HTTP/1.1 200 OK\r\n${fields}\r\n${"x".repeat(55)}`, "latin1");
  return () => {
    for (const socket of sockets) {
      socket.emit("data", request);
      asked!.upstreamBytes(response, 0, response.length);
    }
  };
}

const browser = `User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r
Accept-Language: en-US,en;q=0.9\r
Accept-Encoding: gzip, deflate, br\r
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r
`;

/** Each sample is so often a request on each of the 64 connections, so that the harness costs nothing of one. */
const times = 16;

for (const [name, head] of [
  ["a small head", ""],
  ["a browser's head", browser],
] as const) {
  test(`${times * 64} requests with ${name}`, async ({ bench }) => {
    const ask = requests(head);
    await bench(name, () => {
      for (let left = times; left > 0; left--) ask();
    }).run();
  });
}
