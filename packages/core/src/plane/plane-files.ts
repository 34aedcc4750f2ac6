import { Balancer } from "../balancer/balancer.ts";
import type { FileAnswer } from "../files/file-request.ts";
import { FileServer, isAbsent, isRead } from "../files/file-server.ts";
import type { Held } from "../front/held.ts";
import { Pool } from "../front/proxy/pool.ts";
import { PreparedAnswer } from "../front/proxy/prepared-answer.ts";
import type { Destination, Found } from "../front/proxy/router.ts";
import type { Way } from "../front/proxy/way.ts";
import type { Response } from "../front/responder.ts";
import { FileTransport } from "../front/transport/file-transport.ts";
import { HealthTracker } from "../health/tracker.ts";
import type { RequestHead } from "../http/request-head.ts";
import { type Clock, systemWallClock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Random } from "../model/random.ts";
import type { FileSettings } from "../options/file-options.ts";
import { pathOf } from "../routing/path-pattern.ts";
import { roundRobin } from "../strategies/index.ts";

export interface PlaneFilesOptions {
  readonly settings: FileSettings;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Written at once, to a client that reads as slowly as it likes within one deadline. What is larger goes the way of other responses,
 * piece by piece.
 */
const maxPreparedBytes = 131_072;

/**
 * The files of a directory behind a route. What is in memory is answered at once; all else goes its way as responses of a backend do, with their
 * deadlines and their flow control.
 */
export class PlaneFiles {
  readonly pool: Pool;
  readonly #clock: Clock;
  readonly #fallthrough: boolean;
  readonly #server: FileServer;
  readonly #endpoint: Endpoint;
  readonly #balancer: Balancer;

  constructor({ settings, clock, random }: PlaneFilesOptions) {
    this.#clock = clock;
    this.#fallthrough = settings.fallthrough;
    this.#server = new FileServer({ settings, clock, wallClock: systemWallClock, random });
    const address = { kind: "unix", path: settings.root } as const;
    this.#endpoint = { id: `files:${settings.root}`, slot: 0, incarnation: 1, weight: 1, address };
    this.#balancer = new Balancer({
      strategy: roundRobin(),
      health: new HealthTracker({ settings: alwaysWell, clock }),
      clock,
      queue: nobodyWaits,
      retryBudget: nothingIsRetried,
    });
    const transport = new FileTransport(this.#endpoint, this.#server);
    this.pool = new Pool({ balancer: this.#balancer, clock, backend: () => ({ transport, responseLines: "" }) });
    this.pool.update([this.#endpoint]);
    this.#balancer.update([this.#endpoint]);
  }

  /** `prefix`: what the path of a request begins with that is no part of a file's. */
  destination(way: Way, prefix: string): Destination {
    const prepared = new WeakMap<FileAnswer, PreparedAnswer>();
    const found = (answer: FileAnswer | undefined): Found => {
      if (answer === undefined || !isSmall(answer)) return way;
      let known = prepared.get(answer);
      if (known === undefined) {
        known = new PreparedAnswer(
          { ...answer, body: answer.body[0] as Buffer | undefined },
          this.#endpoint,
          way.responseRules,
        );
        prepared.set(answer, known);
      }
      return known;
    };
    const pathIn = ({ target }: RequestHead) => withoutPrefix(pathOf(target), prefix);
    const known: Destination = (request) => found(this.#server.known(request, pathIn(request)));
    if (!this.#fallthrough) return known;
    return (request) => {
      if (!isRead(request.method) || request.upgrade !== undefined) return "next";
      const path = pathIn(request);
      const answer = this.#server.known(request, path);
      if (answer === undefined) return this.#looked(request, path, { found, responseMs: way.timeouts.responseMs });
      return isAbsent(answer) ? "next" : found(answer);
    };
  }

  /** Whether there is such a file is not known: the request goes on when it is. */
  #looked(request: RequestHead, path: string, { found, responseMs }: LookOptions): Held<Found | "next"> {
    return {
      kind: "held",
      wait: (released) => {
        let waits = true;
        const release = (to: Found | "next") => {
          if (!waits) return;
          leave();
          released(to);
        };
        const leave = () => {
          waits = false;
          timer.cancel();
        };
        const timer = this.#clock.after(responseMs, () => release(late));
        void this.#server.answer(request, path).then((answer) => {
          const known = this.#server.known(request, path);
          release(isAbsent(known ?? answer) ? "next" : found(known));
        });
        return leave;
      },
    };
  }

  /** Nobody is sent there any more. Resolves when all that was begun is sent. */
  async emptied(): Promise<void> {
    this.#balancer.setDraining(this.#endpoint);
    await this.#balancer.drained(this.#endpoint);
  }

  close(): void {
    this.pool.close();
    this.#balancer.close();
    this.#server.close();
  }
}

interface LookOptions {
  readonly found: (answer: FileAnswer | undefined) => Found;
  /** How long the disk may take. */
  readonly responseMs: number;
}

const late: Response = { kind: "refusal", status: 504, reason: "timeout" };

/** `""`: the path is the prefix itself, without a slash. */
function withoutPrefix(path: string, prefix: string): string {
  return path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}

const alwaysWell = {
  passive: false,
  outlier: false,
  active: false,
  maxEjectedShare: 0,
  panicThreshold: 0,
  slowStartMs: 0,
} as const;
const nobodyWaits = { maxWaiting: 0, maxWaitMs: 0 };
const nothingIsRetried = { ratio: 1, minRetriesPerSecond: 0, ttlMs: 10_000 };

function isSmall({ length = 0, body }: FileAnswer): boolean {
  return body.length === 0 || (body.length === 1 && Buffer.isBuffer(body[0]) && length <= maxPreparedBytes);
}
