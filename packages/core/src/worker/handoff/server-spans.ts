import type { IncomingMessage } from "node:http";
import { shortField } from "../../access-log/escaping.ts";
import { redactor } from "../../access-log/redaction.ts";
import type { CountedRequest } from "../../facts/request-counts.ts";
import { machineTime } from "../../model/clock.ts";
import { serverSpan } from "../../tracing/request-spans.ts";
import type { SpanOutbox } from "../span-outbox.ts";
import { type AskedFor, askedFor } from "./asked-for.ts";
import type { HandedConnection } from "./handed-connection.ts";
import { idOf } from "./request-identity.ts";
import { sampledTraceOf } from "./request-trace-context.ts";

export interface ServerSpansOptions {
  /** Query parameters whose values are not told. */
  readonly redact: readonly string[];
  readonly instance: number;
  readonly outbox: SpanOutbox;
}

interface Begun extends AskedFor {
  readonly startMs: number;
}

const begun = Symbol("lb.span");
type BegunRequest = IncomingMessage & { [begun]?: Begun };

/** Makes a span of each sampled request on handed-off connections. */
export class ServerSpans {
  readonly #options: ServerSpansOptions;
  readonly #redact: (url: string) => string;

  constructor(options: ServerSpansOptions) {
    this.#options = options;
    this.#redact = redactor(options.redact) ?? ((url) => url);
  }

  begin(request: IncomingMessage, connection: HandedConnection): void {
    if (sampledTraceOf(request) === undefined) return;
    (request as BegunRequest)[begun] = { ...askedFor(request, connection), startMs: machineTime() };
  }

  /** It is over, or has become a tunnel. */
  ended(
    request: IncomingMessage,
    { secure }: HandedConnection,
    { status, answeredBy, end, attempts }: Pick<CountedRequest, "status" | "answeredBy" | "end" | "attempts">,
  ): void {
    const trace = sampledTraceOf(request);
    const { [begun]: known, headers } = request as BegunRequest;
    if (trace === undefined || known === undefined) return;
    const { instance, outbox } = this.#options;
    const span = serverSpan(
      {
        time: known.startMs,
        totalMs: machineTime() - known.startMs,
        id: idOf(request),
        client: known.client,
        tls: secure !== undefined,
        method: request.method,
        host: headers.host,
        target: this.#redact(known.target),
        protocol: request.httpVersionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1",
        status,
        attempts,
        instance,
        endpoint: undefined,
        backend: undefined,
        route: undefined,
        answeredBy,
        end,
        userAgent: shortField(headers["user-agent"]),
      },
      trace,
    );
    outbox.add(span);
  }
}
