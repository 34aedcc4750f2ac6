import { connect } from "node:net";
import type { Clock } from "../../model/clock.ts";
import type { FirstProbe } from "../worker-contract.ts";
import { isOpenToAll, type ListeningPlace, listeningPlaces, shownPlace } from "./listening-places.ts";

/** A line that holds this text, or that this matches. */
export type LogMark = string | RegExp;

export interface ReadinessOptions {
  /** The program's process, which leads its group. */
  readonly leader: number;
  readonly host: string;
  /** Undefined: it listens nowhere, and has to have run for `uptimeMs`. */
  readonly port: number | undefined;
  readonly uptimeMs: number;
  /** What it has to write; undefined: that does not matter. */
  readonly log: LogMark | undefined;
  /** Asked one after the other once the port answers. */
  readonly checks: readonly (() => FirstProbe)[];
  readonly clock: Clock;
}

/** Between two looks at the port: as soon as it opens somebody waits for it, and later on hardly. */
const pauses = { firstMs: 25, growth: 1.4, mostMs: 250 };
const connectTimeoutMs = 2_000;

/** Waits until a program can answer: its port takes connections, it has written what it was to write, and passes the checks. */
export class Readiness implements FirstProbe {
  readonly passed: Promise<void>;
  readonly #options: ReadinessOptions;
  #logSeen: () => void = () => {};
  #awaitsLog: boolean;
  /** Or it has run for long enough. */
  #portAnswers = false;
  #probe: FirstProbe | undefined;
  #stopped = false;
  /** What of its processes was last seen to listen. */
  #places: readonly ListeningPlace[] | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.#awaitsLog = options.log !== undefined;
    const logSeen = new Promise<void>((resolve) => {
      this.#logSeen = resolve;
      if (!this.#awaitsLog) resolve();
    });
    this.passed = this.#pass(logSeen);
  }

  /** What it still lacks: the middle of a sentence. */
  get found(): string {
    const { host, port, uptimeMs } = this.#options;
    if (port === undefined && !this.#portAnswers) return `it has not run for ${uptimeMs} ms`;
    if (port === undefined) return `it runs, but has not written ${shown(this.#options.log!)} yet`;
    const place = shownPlace({ host, port });
    if (this.#probe !== undefined) return `it listens, but ${this.#probe.found}`;
    if (this.#portAnswers) return `it listens, but has not written ${shown(this.#options.log!)} yet`;
    const elsewhere = this.#places?.map(shownPlace) ?? [];
    if (elsewhere.length === 0) return `nothing listens on ${place}`;
    const remedy =
      "Have it listen where it is told to: {port} and {host} in the command, or the variables PORT and HOST";
    return `nothing answers on ${place}, and it listens on ${elsewhere.join(" and ")}. ${remedy}`;
  }

  /** Where it is open to more than this machine, though nobody asked for that; once it has passed. */
  async openPlace(): Promise<string | undefined> {
    const { leader, port } = this.#options;
    if (port === undefined) return undefined;
    const place = (await listeningPlaces(leader))?.find((one) => one.port === port && isOpenToAll(one));
    return place && shownPlace(place);
  }

  /** It wrote this. */
  line(text: string): void {
    const { log } = this.#options;
    if (!this.#awaitsLog || !(typeof log === "string" ? text.includes(log) : log!.test(text))) return;
    this.#awaitsLog = false;
    this.#logSeen();
  }

  stop(): void {
    this.#stopped = true;
    this.#probe?.stop();
  }

  async #pass(logSeen: Promise<void>): Promise<void> {
    await this.#portOpened();
    this.#portAnswers = true;
    await logSeen;
    for (const check of this.#options.checks) {
      if (this.#stopped) break;
      this.#probe = check();
      await this.#probe.passed;
    }
    // Nobody waits for one that was stopped.
    if (this.#stopped) await new Promise<never>(() => {});
  }

  async #portOpened(): Promise<void> {
    const { host, port, uptimeMs, leader, clock } = this.#options;
    if (port === undefined) {
      await new Promise<void>((resolve) => void clock.after(uptimeMs, resolve, { keepAlive: true }));
      return;
    }
    let { firstMs: pauseMs } = pauses;
    while (!this.#stopped && !(await answers(host, port))) {
      await new Promise<void>((resolve) => void clock.after(pauseMs, resolve, { keepAlive: true }));
      pauseMs = Math.min(pauses.mostMs, pauseMs * pauses.growth);
      // It is not what most programs do, so one that is just slow is not looked at again and again.
      if (pauseMs === pauses.mostMs && !this.#stopped) this.#places = await listeningPlaces(leader);
    }
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs });
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.on("connect", () => done(true));
    socket.on("timeout", () => done(false));
    socket.on("error", () => done(false));
  });
}

function shown(log: LogMark): string {
  return typeof log === "string" ? JSON.stringify(log) : String(log);
}
