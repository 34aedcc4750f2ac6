import { type LatencyCounts, LatencyHistogram, latencyBucket, noLatencies } from "./latency-histogram.ts";

/** By the first digit of the status. */
export const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;
export type StatusClass = (typeof statusClasses)[number];
export type ClassCounts = Readonly<Record<StatusClass, number>>;

/** What became of requests. Plain JSON; never goes back. */
export interface RequestCounts {
  /** Those whose responses came from the app, or from a backend; 101 once its tunnel is open. */
  readonly app: ClassCounts;
  /** Those that the front answered in place of it. */
  readonly front: ClassCounts;
  /** Those that got no response: their clients had left. */
  readonly unanswered: number;
  /** Responses that were begun, and whose end did not come. */
  readonly cut: number;
  /** Clients that left before their response was complete. */
  readonly left: number;
  /** Endpoints that were asked; more than requests where some were asked again. */
  readonly attempts: number;
  /** Heads and framing included, but over HTTP/2, where heads are compressed: of a response its body alone. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** From the head of a request to that of its response, over all that got one. */
  readonly firstByte: LatencyCounts;
  /** From the head of a request to the end of its response; a tunnel's is its opening. */
  readonly total: LatencyCounts;
  /** Of those that had to wait for an endpoint: how long. */
  readonly queued: LatencyCounts;
}

/** A request that has ended, as far as it is counted. */
export interface CountedRequest {
  readonly status: number | undefined;
  readonly answeredBy: "app" | "front" | "nobody";
  readonly end: "complete" | "tunnel" | "cut" | "client-left";
  readonly attempts: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** 0: it did not wait. */
  readonly queuedMs: number;
  /** Undefined: there was no response, or it is not known. */
  readonly respondedMs: number | undefined;
  /** Undefined: it is not known. */
  readonly endedMs: number | undefined;
}

const noClasses: ClassCounts = { "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 };

export const noRequests: RequestCounts = {
  app: noClasses,
  front: noClasses,
  unanswered: 0,
  cut: 0,
  left: 0,
  attempts: 0,
  bytesIn: 0,
  bytesOut: 0,
  firstByte: noLatencies,
  total: noLatencies,
  queued: noLatencies,
};

/** Counts requests. Costs a few additions for each. */
export class RequestBook {
  readonly #app = [0, 0, 0, 0, 0];
  readonly #front = [0, 0, 0, 0, 0];
  #unanswered = 0;
  #cut = 0;
  #left = 0;
  #attempts = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #firstByte = new LatencyHistogram();
  readonly #total = new LatencyHistogram();
  /** Made with the first that waits. */
  #queued: LatencyHistogram | undefined;
  /** As they were told last; undefined: there is news. Most of a thousand routes have none from one look to the next. */
  #told: RequestCounts | undefined;

  /** The buckets are those of its times, if they are known: found once for all books that it goes into. */
  note(request: CountedRequest, firstByteBucket: number, totalBucket: number): void {
    const { status, respondedMs, endedMs } = request;
    this.#told = undefined;
    if (status === undefined) this.#unanswered += 1;
    else (request.answeredBy === "front" ? this.#front : this.#app)[classOf(status)]! += 1;
    if (request.end === "cut") this.#cut += 1;
    else if (request.end === "client-left") this.#left += 1;
    this.#attempts += request.attempts;
    this.#bytesIn += request.requestBytes;
    this.#bytesOut += request.responseBytes;
    if (respondedMs !== undefined) this.#firstByte.note(respondedMs, firstByteBucket);
    if (endedMs !== undefined) this.#total.note(endedMs, totalBucket);
    if (request.queuedMs > 0) {
      this.#queued ??= new LatencyHistogram();
      this.#queued.note(request.queuedMs, latencyBucket(request.queuedMs));
    }
  }

  /** Bytes of tunnels, which go on when their requests are counted. */
  moved(bytesIn: number, bytesOut: number): void {
    this.#told = undefined;
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
  }

  /** What somebody else has counted. */
  add(counts: RequestCounts): void {
    this.#told = undefined;
    for (const [at, name] of statusClasses.entries()) {
      this.#app[at]! += counts.app[name];
      this.#front[at]! += counts.front[name];
    }
    this.#unanswered += counts.unanswered;
    this.#cut += counts.cut;
    this.#left += counts.left;
    this.#attempts += counts.attempts;
    this.#bytesIn += counts.bytesIn;
    this.#bytesOut += counts.bytesOut;
    this.#firstByte.add(counts.firstByte);
    this.#total.add(counts.total);
    if (counts.queued.count === 0) return;
    this.#queued ??= new LatencyHistogram();
    this.#queued.add(counts.queued);
  }

  /** The same object as before, if nothing was counted since. */
  get counts(): RequestCounts {
    this.#told ??= this.#counts();
    return this.#told;
  }

  #counts(): RequestCounts {
    return {
      app: classCounts(this.#app),
      front: classCounts(this.#front),
      unanswered: this.#unanswered,
      cut: this.#cut,
      left: this.#left,
      attempts: this.#attempts,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      firstByte: this.#firstByte.counts,
      total: this.#total.counts,
      queued: this.#queued?.counts ?? noLatencies,
    };
  }
}

/** Of a status from 100 to 599, counted from 0; what is none is the endpoint's fault. */
function classOf(status: number): number {
  return status < 200 ? 0 : status < 300 ? 1 : status < 400 ? 2 : status < 500 ? 3 : 4;
}

function classCounts(counts: readonly number[]): ClassCounts {
  return { "1xx": counts[0]!, "2xx": counts[1]!, "3xx": counts[2]!, "4xx": counts[3]!, "5xx": counts[4]! };
}

/** Of all of them together. */
export function summedRequests(all: Iterable<RequestCounts>): RequestCounts {
  const sum = new RequestBook();
  for (const counts of all) sum.add(counts);
  return sum.counts;
}

/** How many requests these are. */
export function requestsIn({ app, front, unanswered }: RequestCounts): number {
  return statusClasses.reduce((sum, name) => sum + app[name] + front[name], unanswered);
}

/** Those that were failures for their clients: a status from 500 on, or a response whose end did not come. */
export function failuresIn({ app, front, cut }: RequestCounts): number {
  return app["5xx"] + front["5xx"] + cut;
}
