import type { IncomingMessage } from "node:http";
import { errorAnswer, type PageAnswer } from "./page.ts";

/** The object that a request has for a body, or what is answered in its place. How long it may take is the server's to say. */
export async function postedBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly body: Readonly<Record<string, unknown>> } | { readonly refused: PageAnswer }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // One that is too long is answered all the same.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) return { refused: errorAnswer(413, "LB_ADMIN_REQUEST", `give ${maxBytes} bytes at most`) };
    parts.push(part);
  }
  const body = parsed(Buffer.concat(parts).toString());
  return body === undefined ? { refused: errorAnswer(400, "LB_ADMIN_REQUEST", "give an object of JSON") } : { body };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
