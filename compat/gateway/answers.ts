import type { IncomingMessage, RequestListener } from "node:http";
import { Agent, request } from "node:http";

/** What a target was asked, as it tells in its answer. */
export interface Told {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export async function bodyOf(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

/** A target that tells what it was asked. */
export const telling: RequestListener = async (message, response) => {
  const { method, url, headers } = message;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ method, url, headers, body: await bodyOf(message) }));
};

/** A target that answers each of its paths with a text. */
export const texts =
  (answers: Readonly<Record<string, string>>): RequestListener =>
  ({ url = "/" }, response) => {
    const text = answers[url.split("?", 1)[0]!];
    if (text === undefined) response.writeHead(404).end("not found");
    else response.end(text);
  };

export async function told(url: string, options?: RequestInit): Promise<Told> {
  const response = await fetch(url, options);
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Told;
}

export interface Plain {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** For what `fetch` does not let one say: Host, Connection, a path that is not normalised. */
export function plain(
  url: string,
  {
    method = "GET",
    path,
    headers = {},
    body,
  }: { method?: string; path?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Plain> {
  return new Promise((resolve, reject) => {
    const at = new URL(url);
    const agent = new Agent();
    const sent = request(
      { host: at.hostname, port: at.port, method, path: path ?? at.pathname + at.search, headers, agent },
      async (response) => {
        resolve({ status: response.statusCode!, headers: response.headers, body: await bodyOf(response) });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
