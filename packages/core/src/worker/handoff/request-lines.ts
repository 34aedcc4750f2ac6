import type { IncomingMessage } from "node:http";
import { combinedLine } from "../../access-log/combined-line.ts";
import { shortField } from "../../access-log/escaping.ts";
import { JsonLine } from "../../access-log/json-line.ts";
import { redactor } from "../../access-log/redaction.ts";
import { isTold } from "../../access-log/sampling.ts";
import type { CountedRequest } from "../../facts/request-counts.ts";
import type { AnswerReason } from "../../http/answer-reason.ts";
import type { SentLines } from "../../ipc/handoff-messages.ts";
import type { AccessRecord } from "../../model/access-record.ts";
import type { Clock, WallClock } from "../../model/clock.ts";
import type { Random } from "../../model/random.ts";
import type { AccessLogSettings } from "../../options/access-log-options.ts";
import { type AskedFor, askedFor } from "./asked-for.ts";
import type { HandedConnection } from "./handed-connection.ts";
import { idOf } from "./request-identity.ts";
import { traceIdsOf } from "./request-trace-context.ts";

/** What is done with a line is the primary's to know. */
export type LineSettings = Pick<AccessLogSettings, "only" | "sample" | "redact" | "fields"> & {
  readonly format: "json" | "combined";
};

export interface RequestLinesOptions {
  readonly settings: LineSettings;
  /** Whose requests these are, 1…N. */
  readonly instance: number;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
}

interface Begun extends AskedFor {
  readonly at: number;
}

/** Where a request carries it. */
const begun = Symbol("lb.begun");
type BegunRequest = IncomingMessage & { [begun]?: Begun };

/** Of characters that wait to be told, or are on their way: one who is not read must not grow. */
const maxWaiting = 8_388_608;

/** Makes lines for the access log of the requests on handed-off connections, and keeps them until they are told. */
export class RequestLines {
  readonly #options: RequestLinesOptions;
  readonly #format: (record: AccessRecord) => string;
  readonly #redact: (url: string) => string;
  #text = "";
  #dropped = 0;
  #unsent = 0;

  constructor(options: RequestLinesOptions) {
    const { format, fields, redact } = options.settings;
    this.#options = options;
    const json = new JsonLine(fields);
    this.#format = format === "json" ? (record) => json.text(record) : combinedLine;
    this.#redact = redactor(redact) ?? ((url) => url);
  }

  begin(request: IncomingMessage, connection: HandedConnection): void {
    (request as BegunRequest)[begun] = { ...askedFor(request, connection), at: this.#options.clock.now() };
  }

  /** It is over, or has become a tunnel. */
  ended(
    request: IncomingMessage,
    { origin, secure }: HandedConnection,
    counted: CountedRequest,
    reason: AnswerReason | undefined,
  ): void {
    const { settings, instance, clock, wallClock, random } = this.#options;
    const { [begun]: known, headers } = request as BegunRequest;
    if (known === undefined || !isTold({ ...counted, reason }, settings, random)) return;
    if (this.#text.length + this.#unsent > maxWaiting) {
      this.#dropped += 1;
      return;
    }
    const { status, answeredBy, end, attempts, requestBytes, responseBytes, respondedMs, endedMs } = counted;
    const referer = shortField(headers.referer);
    const line = this.#format({
      time: wallClock() - (clock.now() - known.at),
      id: idOf(request),
      ...traceIdsOf(request),
      client: known.client,
      listener: origin?.listener ?? 0,
      tls: secure !== undefined,
      tlsVersion: secure?.tls?.version,
      tlsCipher: secure?.tls?.cipher,
      method: request.method,
      host: headers.host,
      target: this.#redact(known.target),
      protocol: request.httpVersionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1",
      status,
      bytesIn: requestBytes,
      bytesOut: responseBytes,
      queueMs: undefined,
      leaseMs: undefined,
      firstByteMs: respondedMs,
      totalMs: endedMs,
      attempts,
      instance,
      endpoint: undefined,
      backend: undefined,
      route: undefined,
      answeredBy,
      reason,
      end,
      referer: referer === undefined ? undefined : this.#redact(referer),
      userAgent: shortField(headers["user-agent"]),
    });
    this.#text = this.#text === "" ? line : `${this.#text}\n${line}`;
  }

  /** What there is to tell, and begins anew. Undefined: nothing. */
  take(): SentLines | undefined {
    if (this.#text === "" && this.#dropped === 0) return undefined;
    const taken = { text: this.#text, dropped: this.#dropped };
    this.#unsent += this.#text.length;
    this.#text = "";
    this.#dropped = 0;
    return taken;
  }

  /** They are with the kernel. */
  sent({ text }: SentLines): void {
    this.#unsent -= text.length;
  }
}
