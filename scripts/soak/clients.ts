import { Agent, type ClientRequest, request } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { Counting, type Tally } from "./tally.ts";

/** What is asked for, by how often in twenty. */
const asked = [
  ...Array.from({ length: 12 }, () => ({ path: "/", body: undefined })),
  ...Array.from({ length: 2 }, () => ({ path: "/slow", body: undefined })),
  ...Array.from({ length: 2 }, () => ({ path: "/big", body: undefined })),
  ...Array.from({ length: 2 }, () => ({ path: "/post", body: Buffer.alloc(20_000, "y") })),
  { path: "/missing", body: undefined },
  { path: "/fails", body: undefined },
];
type Asked = (typeof asked)[number];
const talking: Asked = { path: "/socket", body: undefined };

interface Ports {
  readonly plain: number;
  /** Undefined: nothing is asked for over TLS. */
  readonly tls: number | undefined;
}

/**
 * Connections are not used again that the server is about to close: it says `Keep-Alive: timeout=5`, which Node's agent does not
 * go by of its own accord. Otherwise what is counted is that race, which any server has.
 */
const unusedMs = 4_000;

/** Clients of every kind that keep a steady pace, and count what they get. */
export class Clients {
  readonly #ports: Ports;
  readonly #counting = new Counting();
  readonly #ending = new AbortController();
  readonly #running: Promise<unknown>[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32, timeout: unusedMs });
  readonly #tlsAgent = new HttpsAgent({
    keepAlive: true,
    maxSockets: 16,
    timeout: unusedMs,
    rejectUnauthorized: false,
  });
  readonly #failures = new Map<string, number>();
  #session: ClientHttp2Session | undefined;
  #missing = 0;

  /** `http2`: the port with TLS speaks it. */
  constructor(ports: Ports, { rate, http2 }: { readonly rate: number; readonly http2: boolean }) {
    this.#ports = ports;
    const ways = [
      (what: Asked) => this.#overHttp(what),
      ...(ports.tls === undefined ? [] : [(what: Asked) => this.#overTls(what)]),
      ...(http2 ? [(what: Asked) => this.#overHttp2(what)] : []),
    ];
    this.#running = [
      ...ways.map((way) => this.#keepPace(rate / ways.length, way)),
      this.#keepPace(1, () => this.#talk(), [talking]),
    ];
  }

  get tally(): Tally {
    return this.#counting.tally;
  }

  /** So often something was asked for that is not there, which is all that is to be answered with 4xx. */
  get missing(): number {
    return this.#missing;
  }

  /** What was no answer, by what it was. */
  get failures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#failures);
  }

  /** Resolves when the last answer is there. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running);
    this.#session?.close();
    this.#agent.destroy();
    this.#tlsAgent.destroy();
  }

  async #keepPace(perSecond: number, ask: (what: Asked) => Promise<number>, all = asked): Promise<void> {
    const open = new Set<Promise<void>>();
    const begunAt = performance.now();
    for (let n = 0; !this.#ending.signal.aborted; n++) {
      const waitMs = begunAt + (n * 1_000) / perSecond - performance.now();
      if (waitMs > 1) await pause(waitMs);
      const what = all[n % all.length]!;
      if (what.path === "/missing") this.#missing += 1;
      const one = ask(what)
        .then(
          (status) => this.#counting.add(status),
          (error: Error & { readonly code?: string }) => {
            const failure = `${error.code ?? ""} ${error.message}`;
            this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
            this.#counting.add(0);
          },
        )
        .finally(() => open.delete(one));
      open.add(one);
      if (open.size >= 64) await Promise.race(open);
    }
    await Promise.all(open);
  }

  #overHttp({ path, body }: Asked): Promise<number> {
    const options = { port: this.#ports.plain, path, agent: this.#agent, method: body ? "POST" : "GET" };
    return statusOf(request(options), body);
  }

  #overTls({ path, body }: Asked): Promise<number> {
    const options = { port: this.#ports.tls, path, agent: this.#tlsAgent, method: body ? "POST" : "GET" };
    return statusOf(httpsRequest(options), body);
  }

  async #overHttp2(asked: Asked): Promise<number> {
    try {
      return await this.#onStream(asked);
    } catch (error) {
      // Nothing was done with it, and clients ask again (RFC 9113 §8.7): the connection was about to end.
      if (!(error as Error).message.includes("NGHTTP2_REFUSED_STREAM")) throw error;
      return this.#onStream(asked);
    }
  }

  #onStream({ path, body }: Asked): Promise<number> {
    const session = this.#openSession();
    return new Promise((resolve, reject) => {
      const stream = session.request({ ":path": path, ":method": body ? "POST" : "GET" });
      let status = 0;
      stream.on("response", (fields) => {
        status = fields[":status"]!;
      });
      stream
        .on("error", reject)
        .resume()
        .on("close", () => resolve(status));
      stream.end(body);
    });
  }

  #openSession(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    this.#session = connect(`https://127.0.0.1:${this.#ports.tls}`, { rejectUnauthorized: false });
    this.#session.on("error", () => {});
    return this.#session;
  }

  /** A WebSocket is counted when it opens. */
  #talk(): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${this.#ports.plain}${talking.path}`);
      socket.on("open", () => socket.send("hello"));
      socket.on("message", () => socket.close());
      socket.on("close", () => resolve(101));
      socket.on("unexpected-response", (_, { statusCode = 0 }) => resolve(statusCode));
      socket.on("error", reject);
    });
  }
}

function statusOf(sent: ClientRequest, body: Buffer | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    sent.on("response", (response) => {
      response
        .on("error", reject)
        .resume()
        .on("end", () => resolve(response.statusCode!));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
