import type { RequestListener } from "node:http";
import { expect } from "vitest";
import { ask, type Http2FrontOptions, openSession, startHttp2Front } from "./http2-front.ts";

interface Seen {
  readonly heads: string[][];
  readonly bodies: string[];
  readonly trailers: string[][];
}

/** A front whose app notes what reaches it. */
export async function startNoting(options: Http2FrontOptions = {}) {
  const seen: Seen = { heads: [], bodies: [], trailers: [] };
  const app: RequestListener = (incoming, response) => {
    seen.heads.push([incoming.method!, incoming.url!, ...incoming.rawHeaders]);
    if (incoming.url === "/never") return;
    let body = "";
    incoming.setEncoding("latin1");
    incoming.on("data", (chunk: string) => {
      body += chunk;
    });
    incoming.on("end", () => {
      seen.bodies.push(body);
      seen.trailers.push(incoming.rawTrailers);
      response.end(incoming.url === "/large" ? Buffer.alloc(1_000_000) : "fine");
    });
  };
  const started = await startHttp2Front(app, options);
  const served = async () => {
    const session = await openSession(started.httpsPort);
    expect((await ask(session)).status).toBe(200);
    session.close();
  };
  return { ...started, ...seen, served };
}

/** The number of a client's stream, by how many there were before. */
export const streamNumber = (before: number): number => 2 * before + 1;
