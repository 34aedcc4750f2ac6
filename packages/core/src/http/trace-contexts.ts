import type { TraceSettings } from "../options/tracing-options.ts";
import { newSpanId, newTraceId, randomHex, randomShare } from "./trace-ids.ts";
import { type TraceParent, traceParent } from "./trace-parent.ts";

/** A request that is sampled: of it spans are made. */
export interface SampledTrace {
  readonly traceId: string;
  /** Of the span that is ours. */
  readonly spanId: string;
  /** Whose child that is; undefined: the trace begins here. */
  readonly parentId: string | undefined;
}

/** What becomes of the trace of one request. */
export interface TraceContext {
  /** The `traceparent` that goes on. */
  readonly text: string;
  /** Undefined: no spans are made of it. */
  readonly sampled: SampledTrace | undefined;
}

/**
 * Decides for each request which trace it is part of, and whether spans are made of it, before anything else is: as the sampler
 * `ParentBased(TraceIdRatioBased)` of OpenTelemetry does, where the parent is one to be believed.
 */
export class TraceContexts {
  readonly #settings: TraceSettings;
  // Ids that nobody makes spans of need to be different, and cheap.
  readonly #tracePrefix = randomHex(12);
  readonly #spanPrefix = randomHex(4);
  #unsampled = 0;

  constructor(settings: TraceSettings) {
    this.#settings = settings;
  }

  /** Whether what this peer says of a trace is believed. */
  follows(peerTrusted: boolean): boolean {
    return peerTrusted || this.#settings.parents === "any";
  }

  /** `parent`: of one who is believed. */
  next(parent: TraceParent | undefined): TraceContext {
    if (parent === undefined) return this.#isSampled() ? sampledTrace(newTraceId(), undefined) : this.#unsampledTrace();
    return parent.sampled ? sampledTrace(parent.traceId, parent.spanId) : { text: parent.text, sampled: undefined };
  }

  #isSampled(): boolean {
    const { sample } = this.#settings;
    return sample === 1 || (sample > 0 && randomShare() < sample);
  }

  /** Says that it is not sampled, so that the app does not sample it either. */
  #unsampledTrace(): TraceContext {
    this.#unsampled = (this.#unsampled + 1) % 0x1_0000_0000;
    const count = (0x1_0000_0000 + this.#unsampled).toString(16).slice(1);
    return { text: `00-${this.#tracePrefix}${count}-${this.#spanPrefix}${count}-00`, sampled: undefined };
  }
}

function sampledTrace(traceId: string, parentId: string | undefined): TraceContext {
  const spanId = newSpanId();
  return { text: traceParent(traceId, spanId, true), sampled: { traceId, spanId, parentId } };
}

/** None where nothing is traced. */
export function traceContexts(settings: TraceSettings | false | undefined): TraceContexts | undefined {
  return settings === undefined || settings === false ? undefined : new TraceContexts(settings);
}
