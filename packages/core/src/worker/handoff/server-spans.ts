import type { IncomingMessage } from "node:http";
import { shortField } from "../../access-log/escaping.ts";
import { redactor } from "../../access-log/redaction.ts";
import type { CountedRequest } from "../../facts/request-counts.ts";
import { normaliseAddress } from "../../http/address.ts";
import { clientBehind } from "../../http/forwarded-for.ts";
import { machineTime } from "../../model/clock.ts";
import { serverSpan } from "../../tracing/request-spans.ts";
import type { SpanOutbox } from "../span-outbox.ts";
import type { HandedConnection } from "./handed-connection.ts";
import { idOf } from "./request-identity.ts";
import { sampledTraceOf } from "./request-trace-context.ts";

export interface ServerSpansOptions {
  /** Query parameters whose values are not told. */
  readonly redact: readonly string[];
  readonly instance: number;
  readonly outbox: SpanOutbox;
}

/** What the app may change in a request, or its connection has no more, when its response ends. */
interface Begun {
  readonly target: string;
  readonly client: string;
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
    const peer = normaliseAddress(request.socket.remoteAddress ?? "");
    // Node joins those of several lines.
    const forwarded =
      connection.trusted === true ? (request.headers["x-forwarded-for"] as string | undefined) : undefined;
    (request as BegunRequest)[begun] = {
      target: request.url ?? "/",
      client: forwarded === undefined ? peer : clientBehind(peer, forwarded),
      startMs: machineTime(),
    };
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
