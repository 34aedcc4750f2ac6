import type { IncomingMessage, ServerResponse } from "node:http";
import type { EntryMemory, TimedEntry } from "../log/entry-memory.ts";
import { type Clock, every } from "../model/clock.ts";

/** Those who watch at a time. */
const maxWatchers = 32;
/** What may wait for one of them: one that reads more slowly is cut, and comes again. */
const maxWaitingBytes = 262_144;
/** So that what lies between does not take silence for an end; shorter than the server's own patience. */
const pingMs = 5_000;

/** What becomes of a cluster, told as it happens (Server-Sent Events) to those who watch. */
export class EventStream {
  readonly #memory: EntryMemory;
  readonly #clock: Clock;
  readonly #watchers = new Set<ServerResponse>();

  constructor(memory: EntryMemory, clock: Clock) {
    this.#memory = memory;
    this.#clock = clock;
    memory.subscribe((entry) => {
      for (const watcher of this.#watchers) send(watcher, frame(entry));
    });
  }

  /** Tells what is remembered, or what came after `Last-Event-ID`, and then what comes. False: too many watch already. */
  watch(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#watchers.size >= maxWatchers) return false;
    const missed = this.#memory.after(Number(request.headers["last-event-id"] ?? 0));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`retry: 2000\n\n${missed.map(frame).join("")}`);
    if (request.method === "HEAD") {
      response.end();
      return true;
    }
    this.#watchers.add(response);
    // Its end is what counts.
    response.on("error", () => {});
    const ping = every(this.#clock, pingMs, () => send(response, ": \n\n"));
    response.once("close", () => {
      ping.cancel();
      this.#watchers.delete(response);
    });
    return true;
  }
}

function frame(entry: TimedEntry): string {
  return `id: ${entry.id}\ndata: ${JSON.stringify({ version: 1, ...entry })}\n\n`;
}

function send(watcher: ServerResponse, text: string): void {
  if (watcher.writableLength > maxWaitingBytes) watcher.destroy();
  else watcher.write(text);
}
