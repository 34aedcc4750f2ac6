import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Random } from "../../packages/core/src/model/random.ts";
import type { Ledger } from "./ledger.ts";
import { type Asked, ask } from "./request.ts";
import { streamed } from "./streamed.ts";

const small = [Buffer.alloc(1_000, 97)];
const large = Array.from({ length: 8 }, () => Buffer.alloc(32_768, 98));
const sized = (bytes: number) => (id: string) => `${id} ${bytes}`;

const kinds: Record<"get" | "put" | "post" | "upload" | "stream", Asked> = {
  get: { kind: "get", path: "/work", expected: sized(0) },
  put: { kind: "put", path: "/work", method: "PUT", parts: small, expected: sized(1_000) },
  post: { kind: "post", path: "/work", method: "POST", parts: small, expected: sized(1_000) },
  upload: { kind: "upload", path: "/work", method: "POST", parts: large, expected: sized(8 * 32_768) },
  stream: { kind: "stream", path: "/stream", expected: (id) => streamed(id).join("") },
};

/** Ordinary clients of every kind, until they are stopped. A moderate load: what is looked for is not speed. */
export class Clients {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #running: Promise<void>;
  #stopped = false;
  readonly #ledger: Ledger;
  readonly #port: number;

  constructor(ledger: Ledger, port: number, random: Random) {
    this.#ledger = ledger;
    this.#port = port;
    const simple = ["get", "put", "post"] as const;
    const any = () => kinds[simple[Math.floor(random() * simple.length)]!];
    const loops = [
      ...Array.from({ length: 6 }, () => this.#ask(() => ({ ...any(), agent: this.#agent }), 20)),
      ...Array.from({ length: 3 }, () => this.#ask(any, 30)),
      ...Array.from({ length: 2 }, () => this.#ask(() => kinds.upload, 50)),
      ...Array.from({ length: 3 }, () => this.#ask(() => kinds.stream, 50)),
      ...Array.from({ length: 4 }, () => this.#converse()),
    ];
    this.#running = Promise.all(loops).then(() => this.#agent.destroy());
  }

  /** Resolves when the last answer has come. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#running;
  }

  async #ask(next: () => Asked, thinkMs: number): Promise<void> {
    while (!this.#stopped) {
      await ask(this.#ledger, this.#port, next());
      await pause(thinkMs);
    }
  }

  /** WebSocket after WebSocket: each says numbers and hears them again, in order, until it is closed. */
  async #converse(): Promise<void> {
    while (!this.#stopped) {
      const id = this.#ledger.id();
      const from = performance.now();
      const outcome = await this.#conversation(id);
      this.#ledger.enter({ id, kind: "websocket", from, to: performance.now(), outcome });
      await pause(50);
    }
  }

  #conversation(id: string) {
    const silentMs = 15_000;
    return new Promise<{ kind: "answered"; status: number } | { kind: "cut" | "wrong" | "hung"; detail: string }>(
      (resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/socket?id=${id}`);
        let heard = 0;
        const hung = setTimeout(() => {
          resolve({ kind: "hung", detail: `silent for ${silentMs} ms after ${heard} messages` });
          socket.terminate();
        }, silentMs);
        socket.on("open", () => socket.send("0"));
        socket.on("message", async (message) => {
          hung.refresh();
          if (Number(String(message)) !== heard) {
            resolve({ kind: "wrong", detail: `heard ${String(message).slice(0, 50)} for ${heard}` });
            socket.terminate();
          }
          heard += 1;
          await pause(50);
          if (this.#stopped) socket.close();
          else if (socket.readyState === WebSocket.OPEN) socket.send(String(heard));
        });
        socket.on("error", (error) => resolve({ kind: "cut", detail: error.message }));
        socket.on("close", (code) => {
          clearTimeout(hung);
          resolve(this.#stopped ? { kind: "answered", status: 200 } : { kind: "cut", detail: `closed with ${code}` });
        });
      },
    );
  }
}
