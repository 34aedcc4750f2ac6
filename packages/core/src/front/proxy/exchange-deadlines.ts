import type { Clock } from "../../model/clock.ts";
import type { RouteTimeouts } from "../../options/route-options.ts";
import { BodyPace } from "./body-pace.ts";
import type { Client } from "./client.ts";
import type { FrontContext } from "./context.ts";

/** In every such span a body has to bring as many bytes as its rate demands. Longer than a network pauses by itself. */
const paceSpanMs = 10_000;

/** What the client's one deadline is while it has a request with us: by when the next sign of life is due, and of whom. */
export class ExchangeDeadlines {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #pace: BodyPace | undefined;
  #timeouts: RouteTimeouts;

  constructor(client: Client, { clock, way, settings }: Pick<FrontContext, "clock" | "way" | "settings">) {
    const { minBodyBytesPerSecond } = settings.limits;
    this.#client = client;
    this.#clock = clock;
    this.#timeouts = way.timeouts;
    // 0: bodies may be as slow as they like, as long as something comes.
    this.#pace = minBodyBytesPerSecond === 0 ? undefined : new BodyPace(minBodyBytesPerSecond, paceSpanMs);
  }

  /** The next request is bound by these. */
  goBy(timeouts: RouteTimeouts): void {
    this.#timeouts = timeouts;
  }

  none(): void {
    this.#client.deadline(Number.POSITIVE_INFINITY);
  }

  /** The endpoint has all there is, or takes no more for now: its move. */
  response(): void {
    this.#client.deadline(this.#timeouts.responseMs);
  }

  /** Somebody reads the body from now on, whatever became of the one before. */
  bodyBegins(): void {
    this.holdPace();
    this.body(0);
  }

  /** More of the body is due, so many bytes having come just now. */
  body(bytes: number): void {
    const { bodyIdleMs } = this.#timeouts;
    const pace = this.#pace;
    this.#client.deadline(pace === undefined ? bodyIdleMs : Math.min(bodyIdleMs, pace.came(bytes, this.#clock.now())));
  }

  /** Nobody reads the body for a while. */
  holdPace(): void {
    this.#pace?.hold();
  }

  /** Something of the response passed. `full`: the client has to take it before more can. */
  progressed(full: boolean): void {
    const { writeIdleMs, responseIdleMs } = this.#timeouts;
    this.#client.deadline(full ? writeIdleMs : responseIdleMs);
  }

  /** The beginning of a response waits for its rest. */
  held(ms: number): void {
    this.#client.deadline(ms);
  }
}
