import type { CookieJar } from "tough-cookie";
import type { Dispatcher } from "undici";
import { reasonOf } from "./reason.ts";
import type { Done } from "./tally.ts";

export interface RequestOptions {
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | URLSearchParams | object;
  /** What it is counted under. Default: its method and path. */
  readonly name?: string;
}

/** What a user got. */
export interface Answer {
  /** 0: there was none. */
  readonly status: number;
  /** It has a status below 400. */
  readonly ok: boolean;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  text(): string;
  json(): unknown;
}

export interface Asking {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly dispatcher: Dispatcher;
  readonly jar: CookieJar;
  readonly signal: AbortSignal;
}

/** Sends one request of a user with his cookies, and keeps those that he gets. */
export async function answerOf(
  url: URL,
  { method = "GET", headers = {}, body }: RequestOptions,
  { headers: general, timeoutMs, dispatcher, jar, signal }: Asking,
): Promise<{ readonly answer: Answer; readonly done: Done }> {
  const sent = sentBody(body);
  const cookie = jar.getCookieStringSync(url.href);
  try {
    const response = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: method as Dispatcher.HttpMethod,
      headers: { ...sent.headers, ...(cookie !== "" && { cookie }), ...general, ...headers },
      ...(sent.body !== undefined && { body: sent.body }),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal,
    });
    const bytes = Buffer.from(await response.body.arrayBuffer());
    const { statusCode: status, headers: got } = response;
    for (const line of [got["set-cookie"] ?? []].flat()) jar.setCookieSync(line, url.href, { ignoreError: true });
    const by = got["x-backend-server"];
    const done: Done = { kind: "answered", status, bytes: bytes.length, by: typeof by === "string" ? by : undefined };
    return { answer: new Received(status, got, bytes), done };
  } catch (error) {
    return { answer: new Received(0, {}, Buffer.alloc(0)), done: { kind: "failed", why: reasonOf(error) } };
  }
}

class Received implements Answer {
  readonly status: number;
  readonly headers: Answer["headers"];
  readonly body: Buffer;

  constructor(status: number, headers: Answer["headers"], body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get ok(): boolean {
    return this.status > 0 && this.status < 400;
  }

  text(): string {
    return this.body.toString();
  }

  json(): unknown {
    return JSON.parse(this.text());
  }
}

function sentBody(body: RequestOptions["body"]): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
} {
  if (body === undefined) return { headers: {} };
  if (typeof body === "string" || body instanceof Uint8Array) return { headers: {}, body };
  if (body instanceof URLSearchParams) {
    return { headers: { "content-type": "application/x-www-form-urlencoded" }, body: body.toString() };
  }
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
