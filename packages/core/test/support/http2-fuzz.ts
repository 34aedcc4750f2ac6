import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Http2Connection } from "../../src/front/proxy/http2/http2-connection.ts";
import type { Random } from "../../src/model/random.ts";
import { eventually } from "./eventually.ts";
import type { FuzzCase, FuzzTarget } from "./fuzz.ts";
import {
  endHeaders,
  endStream,
  type Frame,
  fieldBlock,
  frame,
  frameTypes,
  preface,
  readFrames,
  requestFields,
} from "./http2-frames.ts";
import { type MemoryStream, memoryContext, memoryFacts } from "./memory-proxy.ts";
import { integerBelow, mutate, pick } from "./mutate.ts";
import { NodeRequestOracle } from "./node-oracle.ts";

/**
 * Frames of a real client (Node's), changed on their way to the front: whatever they have become, nothing throws, each request that
 * goes to an endpoint is one of HTTP/1.1 to Node's parser and no more than one, there are no more of them than heads were sent, and
 * when the client has gone nothing is left.
 */
export const http2Target: FuzzTarget = { name: "http2", check };

const oracle = new NodeRequestOracle();

/** A front, in so far as it takes connections. Each has a context of its own. */
class Taker {
  readonly #server: Server;
  readonly #taken = new Map<number, ReturnType<typeof take>>();

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#taken.set(socket.remotePort!, take(socket)));
    // It lives as long as the process, and holds up nothing.
    this.#server.listen(0, "127.0.0.1").unref();
  }

  async port(): Promise<number> {
    if (!this.#server.listening) await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** What became of the connection from this port. */
  async from(port: number): Promise<ReturnType<typeof take>> {
    const taken = await eventually(() => this.#taken.get(port), { what: "the connection is taken" });
    this.#taken.delete(port);
    return taken;
  }
}

function take(socket: Socket) {
  const around = memoryContext();
  new Http2Connection(socket, memoryFacts, around.context);
  return { socket, ...around };
}

const taker = new Taker();

/** The frames that a client sends for what people do, as they were taken down once. */
let recorded: Promise<readonly (readonly Frame[])[]> | undefined;

type Act = (session: ClientHttp2Session) => Promise<unknown>;

const acts: readonly Act[] = [
  async (session) => {
    for (const path of ["/", "/a?b=c", "/"]) {
      const headers = { ":path": path, "user-agent": "fuzz", cookie: ["a=1", "b=2"], "accept-language": "de" };
      await once(session.request(headers).resume(), "close");
    }
  },
  async (session) => {
    const sized = session.request({ ":method": "POST", ":path": "/sized", "content-length": "5" });
    sized.end("12345");
    const unsized = session.request({ ":method": "PUT", ":path": "/unsized" }, { waitForTrailers: true });
    unsized.on("wantTrailers", () => unsized.sendTrailers({ "x-sum": "7", "x-other": "8" }));
    unsized.write("begun");
    unsized.end(Buffer.alloc(2_000, "b"));
    await Promise.all([sized, unsized].map((stream) => once(stream.resume(), "close")));
  },
  async (session) => {
    await eventually(() => session.remoteSettings.enableConnectProtocol, { what: "the settings" });
    const fields = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat", "sec-websocket-version": "13" };
    const tunnel = session.request(fields);
    tunnel.on("error", () => {});
    tunnel.end("bytes");
    await once(tunnel.resume(), "close");
  },
  async (session) => {
    const streams = Array.from({ length: 6 }, (_, at) => session.request({ ":path": `/many/${at}` }));
    for (const stream of streams) stream.on("error", () => {}).resume();
    streams[1]!.close(8);
    await new Promise((resolve) => session.ping(resolve));
    await Promise.all(streams.map((stream) => stream.closed || once(stream, "close")));
  },
];

async function record(act: Act): Promise<readonly Frame[]> {
  const bytes: Buffer[] = [];
  const front = await taker.port();
  const tap = createServer((client) => {
    const behind = connect(front, "127.0.0.1");
    client.on("data", (chunk: Buffer) => {
      bytes.push(chunk);
      behind.write(chunk);
    });
    behind.on("data", (chunk) => client.write(chunk));
    behind.on("close", () => client.destroy());
    client.on("close", () => behind.destroy());
    behind.once("connect", async () => answerAll(await taker.from(behind.localPort!), () => !client.destroyed));
  });
  await once(tap.listen(0, "127.0.0.1"), "listening");
  const session = connectHttp2(`http://127.0.0.1:${(tap.address() as AddressInfo).port}`);
  await act(session);
  session.destroy();
  tap.close();
  const all = Buffer.concat(bytes);
  return readFrames(all.subarray(preface.length)).frames;
}

/** Has requests answered as long as there are any to come. */
async function answerAll({ streams }: { readonly streams: readonly MemoryStream[] }, goesOn: () => boolean) {
  while (goesOn()) {
    answer(streams);
    await nextTurn();
  }
}

const answered = new WeakSet<MemoryStream>();

function answer(streams: readonly MemoryStream[]): void {
  for (const stream of streams) {
    if (stream.state !== "open" || answered.has(stream) || !stream.sent.includes("\r\n\r\n")) continue;
    answered.add(stream);
    stream.answers(stream.sent.includes("Upgrade: websocket") ? refusal : success);
  }
}

const success = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Answer: yes\r\n\r\nok";
const refusal = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";

async function check(random: Random): Promise<FuzzCase> {
  recorded ??= Promise.all(acts.map(record));
  const frames = random() < 0.15 ? composed(random) : pick(await recorded, random);
  const bytes = changed(frames, random);
  const client = connect(await taker.port(), "127.0.0.1");
  client.on("error", () => {}).resume();
  await once(client, "connect");
  const { socket, streams, closed, inFlight } = await taker.from(client.localPort!);
  const gone = new Promise((resolve) => socket.once("close", resolve));
  client.write(bytes);
  // Read to its end, or cut off.
  while (!socket.destroyed && socket.bytesRead < bytes.length && !client.destroyed) {
    answer(streams);
    await nextTurn();
  }
  for (let turn = 0; turn < 4; turn++) {
    answer(streams);
    await nextTurn();
  }
  client.destroy();
  if (!socket.closed) await gone;
  await nextTurn();
  return { bytes, accepted: streams.length > 0, divergence: await divergenceOf(bytes, { streams, closed, inFlight }) };
}

async function divergenceOf(
  bytes: Buffer,
  { streams, closed, inFlight }: Pick<ReturnType<typeof take>, "streams" | "closed" | "inFlight">,
): Promise<string | undefined> {
  const heads = readFrames(bytes.subarray(preface.length)).frames.filter(({ type }) => type === "headers").length;
  if (streams.length > heads) return `${streams.length} requests of ${heads} heads`;
  if (closed.length !== 1) return `the connection was closed ${closed.length} times`;
  if (inFlight() > 0) return `${inFlight()} leases are left`;
  if (streams.some(({ state }) => state === "open")) return "a stream to an endpoint is left";
  for (const { sent } of streams) {
    const { messages, error } = await oracle.read(Buffer.from(sent, "latin1"));
    if (error !== undefined) return `Node refuses what was sent on: ${error}: ${JSON.stringify(sent.slice(0, 300))}`;
    if (messages.length > 1) return `${messages.length} requests in one: ${JSON.stringify(sent.slice(0, 300))}`;
  }
  return undefined;
}

/** What no client of its own accord would send. */
function composed(random: Random): readonly Frame[] {
  const words = [
    "/",
    "/a b",
    "*",
    "http://evil/",
    "\r\nx: y",
    "1\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
    "\0",
    "é",
    "",
  ];
  const names = [
    "x",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "cookie",
    "expect",
    ":path",
    "te",
    "X",
  ];
  const more = Array.from(
    { length: integerBelow(4, random) },
    () => [pick(names, random), pick(words, random)] as const,
  );
  const fields = requestFields(
    pick(words, random),
    more,
    pick(["GET", "POST", "HEAD", "CONNECT", "TRACE", "G T"], random),
  );
  const flags = endHeaders | (random() < 0.5 ? endStream : 0);
  return readFrames(
    Buffer.concat([
      frame("settings"),
      frame("headers", { stream: 1, flags, payload: fieldBlock(fields) }),
      frame("data", { stream: 1, flags: endStream, payload: Buffer.from(pick(words, random), "latin1") }),
      frame("headers", { stream: 3, flags: endHeaders | endStream, payload: fieldBlock(requestFields()) }),
    ]),
  ).frames;
}

type Change = (frames: Frame[], random: Random) => void;

const types = Object.values(frameTypes);

const changes: readonly Change[] = [
  function payload(frames, random) {
    replace(frames, random, (one) => ({
      ...one,
      payload: Buffer.from(mutate(one.payload.toString("latin1") || "\0", ["\0", "\xff"], random), "latin1"),
    }));
  },
  function flags(frames, random) {
    replace(frames, random, (one) => ({ ...one, flags: one.flags ^ (1 << integerBelow(8, random)) }));
  },
  function stream(frames, random) {
    replace(frames, random, (one) => ({ ...one, stream: pick([0, 1, 2, 3, 5, 7, 99, 2 ** 31 - 1], random) }));
  },
  function type(frames, random) {
    replace(frames, random, (one) => ({ ...one, type: pick([...types, 5, 200], random) }));
  },
  function drop(frames, random) {
    if (frames.length > 1) frames.splice(integerBelow(frames.length, random), 1);
  },
  function repeat(frames, random) {
    const at = integerBelow(frames.length, random);
    frames.splice(at, 0, frames[at]!);
  },
  function swap(frames, random) {
    const at = integerBelow(frames.length, random);
    frames.push(...frames.splice(at, 1));
  },
  function insert(frames, random) {
    const payload = Buffer.from(Array.from({ length: integerBelow(12, random) }, () => integerBelow(256, random)));
    const made = {
      type: pick(types, random),
      flags: integerBelow(256, random),
      stream: integerBelow(8, random),
      payload,
    };
    frames.splice(integerBelow(frames.length + 1, random), 0, made);
  },
];

function replace(frames: Frame[], random: Random, by: (one: Frame) => Frame): void {
  const at = integerBelow(frames.length, random);
  frames[at] = by(frames[at]!);
}

function changed(before: readonly Frame[], random: Random): Buffer {
  const frames = [...before];
  for (let count = 1 + integerBelow(3, random); count > 0; count--) pick(changes, random)(frames, random);
  const bytes = Buffer.concat([preface, ...frames.map(encode)]);
  // And now and then what is not even frames any more.
  return random() < 0.1 ? Buffer.from(mutate(bytes.toString("latin1"), ["\0"], random), "latin1") : bytes;
}

function encode({ type, flags, stream, payload }: Frame): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = typeof type === "number" ? type : frameTypes[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
