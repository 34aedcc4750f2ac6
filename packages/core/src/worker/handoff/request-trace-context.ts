import type { IncomingMessage } from "node:http";
import type { SampledTrace, TraceContext, TraceContexts } from "../../http/trace-contexts.ts";
import { idsIn, parseTraceParent } from "../../http/trace-parent.ts";
import { setField } from "../own-field.ts";

const context = Symbol("lb.trace");
type TracedRequest = IncomingMessage & { [context]?: TraceContext };

/** Of a request of which spans are made. */
export function sampledTraceOf(request: TracedRequest): SampledTrace | undefined {
  return request[context]?.sampled;
}

/** Of its trace, and of its span there; undefined: nothing is traced. */
export function traceIdsOf(request: TracedRequest): ReturnType<typeof idsIn> {
  return idsIn(request[context]?.text ?? "");
}

/** Joins a request to its trace, once: in place of what its client says, where that is not to be believed. */
export function joinTrace(request: TracedRequest, contexts: TraceContexts, trusted: boolean): void {
  if (request[context] !== undefined) return;
  const { headers } = request;
  const said = headers["traceparent"] as string | undefined;
  const parent = contexts.follows(trusted) ? parseTraceParent(said) : undefined;
  const decided = contexts.next(parent);
  const { text } = decided;
  request[context] = decided;
  if (text !== said) setField(request, "traceparent", text);
  // It belongs to the trace that it came with.
  if (parent === undefined && headers["tracestate"] !== undefined) setField(request, "tracestate", undefined);
}
