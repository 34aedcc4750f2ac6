import type { Duplex } from "node:stream";
import { Readable } from "node:stream";
import type { Random, UrlBalancer, UrlLease } from "@lb/core";
import { outcomeOf } from "@lb/core/kit";
import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { Attempt, type AttemptObserver, type UpstreamAnswer } from "./attempt.ts";
import { CallView } from "./call-view.ts";
import type { FailedAttempt } from "./failure.ts";
import type { MirrorSettings } from "./mirror-options.ts";
import type { BodyCopy } from "./request-body.ts";
import { addressedTo, type UpstreamRequest } from "./upstream-request.ts";
import type { Upstreams } from "./upstreams.ts";

export interface MirrorOptions {
  readonly settings: MirrorSettings;
  readonly balancer: UrlBalancer;
  readonly upstreams: Upstreams;
  readonly random: Random;
  /** Told of copies that failed. */
  readonly failed: (error: GatewayError, call: Call) => void;
}

/** Sends copies of requests elsewhere, and drops what is answered. The requests themselves never wait for one. */
export class Mirror {
  readonly #options: MirrorOptions;
  #inFlight = 0;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** A copy of the request of `call`; undefined: it is none of the share, or too many are under way. */
  copyOf(call: Call): MirroredRequest | undefined {
    const { settings, balancer, random } = this.#options;
    if (this.#inFlight >= settings.maxInFlight || (settings.share < 1 && random() >= settings.share)) return undefined;
    const lease = balancer.tryAcquire(new CallView(call));
    if (lease === undefined) return undefined;
    this.#inFlight++;
    const over = (error: GatewayError | undefined) => {
      this.#inFlight--;
      if (error !== undefined) this.#options.failed(error, call);
    };
    return new MirroredRequest({ ...this.#options, lease, over });
  }

  close(): Promise<void> {
    return this.#options.balancer.close();
  }
}

interface MirroredRequestOptions extends MirrorOptions {
  readonly lease: UrlLease;
  readonly over: (error: GatewayError | undefined) => void;
}

/** One copy. Its body comes piece by piece, as the request's own does. */
export class MirroredRequest implements AttemptObserver, BodyCopy {
  readonly #options: MirroredRequestOptions;
  readonly #attempt: Attempt;
  readonly #body = new Readable({ read: () => {} });
  #over = false;

  constructor(options: MirroredRequestOptions) {
    this.#options = options;
    const { upstreams, lease } = options;
    this.#attempt = new Attempt({ upstreams, endpoint: lease.endpoint, observer: this });
    this.#body.on("error", () => {});
  }

  begin(request: UpstreamRequest, hasBody: boolean): void {
    const { lease } = this.#options;
    try {
      this.#attempt.begin(addressedTo(lease.endpoint, request), hasBody ? this.#body : null);
    } catch (error) {
      this.#end("cannot be sent this request", error as Error);
    }
  }

  write(piece: Buffer): void {
    if (this.#over) return;
    this.#body.push(piece);
    const { maxWaitingBytes } = this.#options.settings;
    if (this.#body.readableLength <= maxWaitingBytes) return;
    this.#end(
      `reads so slowly that more than ${maxWaitingBytes} bytes wait for it`,
      new Error("the copy was given up"),
    );
  }

  end(): void {
    if (!this.#over) this.#body.push(null);
  }

  /** The body will not be complete. */
  abandon(): void {
    this.#end();
  }

  informed(): void {}

  answered({ status }: UpstreamAnswer): void {
    this.#options.lease.observe({ kind: "response", status });
  }

  received(): boolean {
    return true;
  }

  ended(): void {
    this.#options.lease.release({ kind: "success" });
    this.#end();
  }

  upgraded(_answer: UpstreamAnswer, socket: Duplex): void {
    socket.destroy();
  }

  failed({ cause, error }: FailedAttempt): void {
    this.#options.lease.release(cause === "refused" ? { kind: "cancelled" } : outcomeOf(cause));
    this.#end("did not take its copy of the request", error);
  }

  #end(what?: string, cause?: Error): void {
    if (this.#over) return;
    this.#over = true;
    const { lease, over } = this.#options;
    lease.release({ kind: "cancelled" });
    this.#attempt.abandon();
    this.#body.destroy();
    over(what === undefined ? undefined : new GatewayError("LB_MIRROR", `The mirror ${lease.url} ${what}`, { cause }));
  }
}
