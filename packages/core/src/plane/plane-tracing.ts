import { hostname } from "node:os";
import about from "../../package.json" with { type: "json" };
import { ExemplarBook } from "../facts/exemplars.ts";
import type { Exemplars } from "../facts/traffic-counts.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import type { TrafficObserver } from "../front/traffic-observer.ts";
import { type Clock, machineTime, systemWallClock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import { SharedTime } from "../model/shared-time.ts";
import type { Span, SpanAttributes } from "../model/span.ts";
import { redactedIn } from "../options/access-log-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { otlpSender } from "../tracing/otlp-http.ts";
import { SpanExport, type SpanExportStatus } from "../tracing/span-export.ts";
import type { PlaneFact } from "./plane-messages.ts";
import { sentError } from "./sent-error.ts";
import { traceObserver } from "./trace-observer.ts";

export interface PlaneTracingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (fact: PlaneFact) => void;
}

/** What makes spans of a plane's requests, and where those go. */
export class PlaneTracing {
  /** None: spans go nowhere. */
  readonly observers: readonly TrafficObserver[];
  readonly #export: SpanExport | undefined;
  readonly #exemplars = new ExemplarBook();
  readonly #time = new SharedTime(systemWallClock, machineTime);

  constructor({ tracing, accessLog }: ClusterSettings, { clock, random, tell }: PlaneTracingOptions) {
    this.observers = [];
    if (tracing === false || tracing.otlp === false) return;
    let lastError: Error | undefined;
    const losses = new RefusalNotices(clock, (dropped) => {
      tell({ kind: "spans-dropped", ...(lastError !== undefined && { error: sentError(lastError) }), dropped });
    });
    const exported = new SpanExport({
      send: otlpSender(tracing.otlp),
      resource: resourceOf(tracing.service),
      version: about.version,
      clock,
      random,
      dropped: (spans, error) => {
        lastError = error;
        losses.note(spans);
      },
    });
    this.#export = exported;
    const add = (span: Span) => {
      this.#note(span);
      exported.add(span);
    };
    this.observers = [traceObserver({ time: this.#time, redact: redactedIn(accessLog), add })];
  }

  /** `null`: spans go nowhere. */
  get status(): SpanExportStatus | null {
    return this.#export?.status ?? null;
  }

  /** Spans that a worker has made, and how many it had no room for. */
  addTold(spans: readonly Span[], dropped: number): void {
    const out = this.#export;
    if (out === undefined) return;
    for (const told of spans) {
      const span = { ...told, startMs: this.#time.wall(told.startMs), endMs: this.#time.wall(told.endMs) };
      this.#note(span);
      out.add(span);
    }
    if (dropped > 0) out.lost(dropped);
  }

  get exemplars(): Exemplars {
    return this.#exemplars.all;
  }

  #note({ kind, traceId, startMs, endMs, attributes }: Span): void {
    if (kind !== "server") return;
    const route = attributes["http.route"];
    this.#exemplars.note(typeof route === "string" ? route : "", { traceId, ms: endMs - startMs, at: endMs });
  }

  async close(): Promise<void> {
    await this.#export?.end(flushMs);
  }
}

/** Who makes the spans, in OpenTelemetry's words. */
function resourceOf(service: string): SpanAttributes {
  return {
    "service.name": service,
    "host.name": hostname(),
    "process.pid": process.pid,
    "process.runtime.name": "nodejs",
    "process.runtime.version": process.versions.node,
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "@lb/core",
    "telemetry.sdk.version": about.version,
  };
}

/** Who ends has so long for what is still to be told. */
const flushMs = 2_000;
