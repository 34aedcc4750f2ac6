import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { newSpanId } from "../http/trace-ids.ts";
import { parseTraceParent, traceParent } from "../http/trace-parent.ts";
import { machineTime } from "../model/clock.ts";
import { handlerSpan } from "../tracing/request-spans.ts";
import { contained, noteFault } from "./agent-faults.ts";
import { isFromPeer } from "./handoff/peer-intake.ts";
import { ClientSocket } from "./link/client-socket.ts";
import { setField } from "./own-field.ts";
import type { SpanOutbox } from "./span-outbox.ts";

interface ServerMessage {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly response: ServerResponse;
}

/**
 * How long the app has each sampled request that the front, or another instance, has sent: a span of its own, whose child is what
 * the app makes of it. For as long as this process lives. `instance`: whose app it is, 1…N.
 */
export function handlerSpans(instance: number, outbox: SpanOutbox): SpanOutbox {
  subscribe("http.server.request.start", (message) => {
    const { request, socket, response } = message as ServerMessage;
    if (!(socket instanceof ClientSocket) && !isFromPeer(socket)) return;
    try {
      const parent = parseTraceParent(request.headers["traceparent"] as string | undefined);
      if (parent?.sampled !== true) return;
      const { traceId, spanId: parentId } = parent;
      const spanId = newSpanId();
      const startMs = machineTime();
      setField(request, "traceparent", traceParent(traceId, spanId, true));
      const ended = contained("a request's span", () => {
        const { statusCode: status, writableFinished: complete } = response;
        const span = { traceId, spanId, parentId, startMs, endMs: machineTime(), instance, status, complete };
        outbox.add(handlerSpan(span));
      });
      response.once("close", ended);
    } catch (error) {
      noteFault("a request's span", error);
    }
  });
  return outbox;
}
