import type { Clock } from "@lb/core";
import type { CookieJar } from "tough-cookie";
import type { Dispatcher } from "undici";
import { type Answer, answerOf, type RequestOptions } from "./answer.ts";
import { reasonOf } from "./reason.ts";
import { openSocketIo } from "./socket-io.ts";
import type { Done } from "./tally.ts";
import { openWebSocket, type TestWebSocket } from "./web-socket.ts";

export interface UserParts {
  readonly id: number;
  readonly base: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly dispatcher: Dispatcher;
  readonly jar: CookieJar;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly note: (name: string, done: Done, latencyMs: number) => void;
  readonly noteCheck: (name: string, passed: boolean) => void;
}

/** The test is over while the user was at something, which does not count. */
export class TestOver extends Error {
  override readonly name = "TestOver";
}

/**
 * One user, as a scenario has him: with connections and cookies of his own, kept from one time that he goes through it to the next.
 * What he does is measured under a name: the method and the path without its query, or what `name` says.
 */
export class User {
  /** 1…N. */
  readonly id: number;
  /** How often he has gone through the scenario before. */
  iteration = 0;
  readonly #parts: UserParts;
  #dueAt: number | undefined;

  constructor(parts: UserParts) {
    this.id = parts.id;
    this.#parts = parts;
  }

  /** @internal What he does next has been due since then. */
  due(at: number | undefined): void {
    this.#dueAt = at;
  }

  get(path: string, options: Omit<RequestOptions, "method"> = {}): Promise<Answer> {
    return this.request(path, { ...options, method: "GET" });
  }

  /** An object is sent as JSON, `URLSearchParams` as a form. */
  post(
    path: string,
    body: RequestOptions["body"],
    options: Omit<RequestOptions, "method" | "body"> = {},
  ): Promise<Answer> {
    return this.request(path, { ...options, method: "POST", ...(body !== undefined && { body }) });
  }

  /**
   * Asks, and reads the answer to its end. Redirects are not followed: each would be a request of its own. Resolves with status 0 where
   * there was no answer, so that a scenario goes on as a user would; ask `ok`.
   */
  async request(path: string, options: RequestOptions = {}): Promise<Answer> {
    const url = new URL(path, this.#parts.base);
    const name = options.name ?? `${options.method ?? "GET"} ${url.pathname}`;
    return this.#measured(name, async () => {
      const { answer, done } = await answerOf(url, options, this.#parts);
      return { value: answer, done };
    });
  }

  /** Time that he needs to read or to type: so many milliseconds, or from so many to so many. */
  async think(ms: number | readonly [least: number, most: number]): Promise<void> {
    const { random, signal, clock } = this.#parts;
    const [least, most] = typeof ms === "number" ? [ms, ms] : ms;
    this.#dueAt = undefined;
    await new Promise<void>((resolve, reject) => {
      const over = () => {
        timer.cancel();
        reject(new TestOver());
      };
      const timer = clock.after(
        least + (most - least) * random(),
        () => {
          signal.removeEventListener("abort", over);
          resolve();
        },
        { keepAlive: true },
      );
      if (signal.aborted) over();
      else signal.addEventListener("abort", over, { once: true });
    });
  }

  /** Whether something is as it is to be; part of the threshold `checks`. */
  check(name: string, passed: boolean): boolean {
    this.#parts.noteCheck(name, passed);
    return passed;
  }

  /** Measures whatever takes time: an event and its acknowledgement, say. */
  timed<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    return this.#measured(name, async () => ({ value: await work(), done: { kind: "succeeded" } }));
  }

  /** Opens one; closed for him when the test is over. */
  webSocket(path: string, { name = `WS ${path}` }: { readonly name?: string } = {}): Promise<TestWebSocket> {
    return this.#measured(name, async () => ({
      value: await openWebSocket(new URL(path, this.#parts.base), this.#parts),
      done: { kind: "succeeded" },
    }));
  }

  /** Connects with `socket.io-client`, which has to be installed; a socket as that package has it. */
  socketIo(
    options: Readonly<Record<string, unknown>> = {},
    name = "Socket.IO connect",
  ): Promise<import("socket.io-client").Socket> {
    return this.#measured(name, async () => ({
      value: await openSocketIo(this.#parts, options),
      done: { kind: "succeeded" },
    }));
  }

  async #measured<Value>(name: string, work: () => Promise<{ value: Value; done: Done }>): Promise<Value> {
    const { signal, note, clock } = this.#parts;
    if (signal.aborted) throw new TestOver();
    const since = this.#dueAt ?? clock.now();
    this.#dueAt = undefined;
    try {
      const { value, done } = await work();
      if (signal.aborted && done.kind === "failed") throw new TestOver();
      note(name, done, clock.now() - since);
      return value;
    } catch (error) {
      if (error instanceof TestOver || signal.aborted) throw new TestOver();
      note(name, { kind: "failed", why: reasonOf(error) }, clock.now() - since);
      throw error;
    }
  }
}
