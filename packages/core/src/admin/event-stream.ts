import type { IncomingMessage, ServerResponse } from "node:http";
import type { LogEntry } from "../log/log-entry.ts";
import { type Clock, every } from "../model/clock.ts";

/** An entry of the cluster's log, and when it was made. */
export interface TimedEntry extends LogEntry {
  /** Counted from 1. */
  readonly id: number;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly at: number;
}

/** Entries that are remembered for those who come later, or again. */
const maxRemembered = 500;
/** Those who watch at a time. */
const maxWatchers = 32;
/** What may wait for one of them: one that reads more slowly is cut, and comes again. */
const maxWaitingBytes = 262_144;
/** So that what lies between does not take silence for an end; shorter than the server's own patience. */
const pingMs = 5_000;

/** What becomes of a cluster, told as it happens (Server-Sent Events) to those who watch, and remembered for a while. */
export class EventStream {
  readonly #clock: Clock;
  readonly #remembered: TimedEntry[] = [];
  readonly #watchers = new Set<ServerResponse>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(entry: LogEntry, at: number): void {
    this.#count += 1;
    const timed = { id: this.#count, at, ...entry };
    this.#remembered.push(timed);
    if (this.#remembered.length > maxRemembered) this.#remembered.shift();
    for (const watcher of this.#watchers) send(watcher, frame(timed));
  }

  /** Tells what is remembered, or what came after `Last-Event-ID`, and then what comes. False: too many watch already. */
  watch(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#watchers.size >= maxWatchers) return false;
    const last = Number(request.headers["last-event-id"] ?? 0);
    // A number that is not ours yet is that of an earlier primary.
    const missed = last > this.#count ? this.#remembered : this.#remembered.filter(({ id }) => !(id <= last));
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
