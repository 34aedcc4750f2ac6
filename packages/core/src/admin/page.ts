import type { Readable } from "node:stream";

/** What is asked of a page. */
export interface PageRequest {
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly acceptEncoding: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** How long who asks waits, where he says it, as Prometheus does. */
  readonly patienceMs: number | undefined;
}

/** What a page says. */
export interface PageAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer | Readable;
  /** Besides those of all answers, or in their place. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** What the admin listener shows at one path. */
export type Page = (request: PageRequest) => PageAnswer | Promise<PageAnswer>;

/** What somebody wants changed, or done. */
export interface PostRequest {
  readonly body: Readonly<Record<string, unknown>>;
  /** Who: the name of the option `auth`, `"token"`, or `"the socket"`. */
  readonly by: string;
  /** From where: his address, or `"unix"`. */
  readonly address: string;
  /** He has left. */
  readonly signal: AbortSignal;
}

/** What the admin listener does at one path, for those who may and who mean it. Takes as long as it takes. */
export type PostPage = (request: PostRequest) => Promise<PageAnswer>;

/** So that programs which read it can tell when its meaning changes. */
const apiVersion = 1;

export function jsonAnswer(content: object, status = 200): PageAnswer {
  return { status, contentType: "application/json", body: JSON.stringify({ version: apiVersion, ...content }) };
}

export function errorAnswer(status: number, code: string, message: string): PageAnswer {
  return jsonAnswer({ error: { code, message } }, status);
}
