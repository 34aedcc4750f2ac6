import type { FinishedRequest, TrafficObserver } from "../front/traffic-observer.ts";
import { backendOf, idInBackend, isInstance } from "../model/backend-endpoint-id.ts";
import type { Clock, WallClock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { SlowRequest, SlowRequests } from "../model/slow-requests.ts";

/** Requests of whom; of all without any. */
export interface CaptureScope {
  readonly slot?: number;
}

interface Capture {
  readonly scope: CaptureScope;
  requests: number;
  /** The slowest first. */
  readonly slowest: SlowRequest[];
}

/** Requests that are kept of a capture. */
const maxKept = 100;
const maxPathLength = 1_024;

/** Keeps the slowest requests for as long as somebody wants to know. While nobody does, a request costs it one comparison. */
export class RequestCapture implements TrafficObserver {
  readonly #clock: Clock;
  readonly #wallClock: WallClock;
  readonly #captures = new Set<Capture>();

  constructor(clock: Clock, wallClock: WallClock) {
    this.#clock = clock;
    this.#wallClock = wallClock;
  }

  requestFinished(finished: FinishedRequest): void {
    if (this.#captures.size === 0) return;
    for (const capture of this.#captures) note(capture, finished, this.#wallClock);
  }

  /** Those that end within this time. */
  async slowest(ms: number, scope: CaptureScope): Promise<SlowRequests> {
    const capture: Capture = { scope, requests: 0, slowest: [] };
    this.#captures.add(capture);
    await new Promise<void>((over) => {
      this.#clock.after(ms, () => {
        this.#captures.delete(capture);
        over();
      });
    });
    return { ms, requests: capture.requests, slowest: capture.slowest };
  }
}

function note(capture: Capture, finished: FinishedRequest, wallClock: WallClock): void {
  const { endpoint, endedMs } = finished;
  const { slot } = capture.scope;
  if (slot !== undefined && !(endpoint !== undefined && isInstance(endpoint.id) && endpoint.slot === slot)) return;
  capture.requests += 1;
  const { slowest } = capture;
  if (slowest.length === maxKept && endedMs <= slowest.at(-1)!.endedMs) return;
  const place = slowest.findIndex((other) => other.endedMs < endedMs);
  slowest.splice(place === -1 ? slowest.length : place, 0, slowRequest(finished, wallClock() - endedMs));
  if (slowest.length > maxKept) slowest.pop();
}

/** A copy: the object that is told is used again. */
function slowRequest(finished: FinishedRequest, at: number): SlowRequest {
  const { request, endpoint, status, answeredBy, end, attempts, queuedMs, endedMs } = finished;
  const [path = ""] = request.target.split("?", 1);
  return {
    at: Math.round(at),
    method: request.method,
    path: path.slice(0, maxPathLength),
    route: request.route,
    status: status ?? null,
    answeredBy,
    end,
    attempts,
    instance: endpoint === undefined ? null : nameOf(endpoint),
    bytesIn: finished.requestBytes,
    bytesOut: finished.responseBytes,
    queuedMs: rounded(queuedMs),
    leasedMs: rounded(finished.leasedMs),
    respondedMs: rounded(finished.respondedMs),
    endedMs: rounded(endedMs),
  };
}

function nameOf({ id, slot }: Endpoint): string {
  if (isInstance(id)) return String(slot + 1);
  const backend = backendOf(id);
  return backend === undefined ? id : `${backend} ${idInBackend(id)}`;
}

function rounded(ms: number): number;
function rounded(ms: number | undefined): number | null;
function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 100) / 100;
}
