import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Hash of what a stream brings. */
export async function hashOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of stream) hash.update(bytes);
  return hash.digest("hex");
}

export const large = randomBytes(12_000_000);

/** The app's side of a scenario, told to the client's side. */
export function notes() {
  const seen: unknown[] = [];
  return { seen, note: (what: unknown) => void seen.push(what) };
}

export const head = (path = "/", fields = "") => `GET ${path} HTTP/1.1\r\nHost: parity\r\n${fields}\r\n`;

export function asking(
  port: number,
  options: {
    readonly method?: string;
    readonly path?: string;
    readonly headers?: Record<string, string | number>;
  } = {},
) {
  const sent = request({ host: "127.0.0.1", port, agent: false, ...options });
  const response = once(sent, "response").then(([response]) => response as IncomingMessage);
  return { sent, response };
}

export function app(listener: (request: IncomingMessage, response: ServerResponse) => void): () => Server {
  return () => createServer(listener);
}
