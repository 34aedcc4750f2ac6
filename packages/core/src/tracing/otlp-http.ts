import type { OtlpSettings } from "../options/tracing-options.ts";
import type { Sent } from "./span-export.ts";

/** Statuses that ask for another attempt (https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes). */
const later: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Of what a receiver says of spans that it has not taken. */
const maxAnswer = 65_536;

/** Posts messages to a receiver of OTLP. Redirects are not followed: what stands in the headers is for it alone. */
export function otlpSender({ url, headers }: OtlpSettings): (message: string, signal: AbortSignal) => Promise<Sent> {
  return async (message, signal) => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "user-agent": "lb", ...headers, "content-type": "application/json" },
        body: message,
        redirect: "manual",
        signal,
      });
      const { status } = response;
      const rejected = rejectedIn(await bounded(response));
      if (status >= 200 && status < 300) return { kind: "taken", rejected };
      const error = new Error(`the receiver answered ${status}`);
      return later.has(status) ? { kind: "later", error, afterMs: retryAfter(response) } : { kind: "never", error };
    } catch (error) {
      return { kind: "later", error: reasonOf(error, signal) };
    }
  };
}

async function bounded({ body }: Response): Promise<string> {
  if (body === null) return "";
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxAnswer) return "";
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function rejectedIn(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: string | number } };
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) ? Math.max(rejected, 0) : 0;
  } catch {
    return 0;
  }
}

function retryAfter({ headers }: Response): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return seconds >= 0 ? seconds * 1_000 : undefined;
}

/** What is behind "fetch failed". */
function reasonOf(error: unknown, { aborted }: AbortSignal): Error {
  if (aborted) return new Error("the receiver did not answer in time");
  const { cause } = error as Error;
  const reason = cause instanceof AggregateError ? cause.errors[0] : cause;
  return reason instanceof Error && reason.message !== "" ? reason : (error as Error);
}
