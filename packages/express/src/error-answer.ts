import { STATUS_CODES } from "node:http";
import Negotiator from "negotiator";
import type { Answer, Call } from "./call.ts";
import type { GatewayError } from "./errors.ts";
import { isHttp2 } from "./gateway/client-message.ts";

/** The first is what clients get that accept anything. */
const types = ["text/plain", "application/json", "text/html"];

/** The answer to a request that failed with `error`, in the type that the client prefers. It says nothing of us but the code. */
export function errorAnswer(call: Call, error: GatewayError): Answer {
  const { status, retryAfterSeconds } = error;
  const [type = "text/plain"] = new Negotiator(call.request).mediaTypes(types);
  const headers: Record<string, string> = {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-store",
    vary: "Accept",
    "x-content-type-options": "nosniff",
  };
  if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
  if (status === 405) headers["allow"] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  if (status === 426) Object.assign(headers, { upgrade: "websocket", "sec-websocket-version": "13" });
  // What is left of a body would be taken for the next request, or has to be read for nothing.
  if (!call.request.complete && !isHttp2(call.request)) headers["connection"] = "close";
  return { status, headers, body: bodyOf(type, error) };
}

function bodyOf(type: string, { status, code, sentence }: GatewayError): string {
  const reason = STATUS_CODES[status]!;
  switch (type) {
    case "application/json":
      return `${JSON.stringify({ statusCode: status, error: reason, code, message: sentence })}\n`;
    case "text/html":
      return (
        `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${status} ${reason}</title>\n` +
        `<h1>${status} ${reason}</h1>\n<p>${sentence}</p>\n</html>\n`
      );
    default:
      return `${status} ${reason}\n${sentence}\n`;
  }
}
