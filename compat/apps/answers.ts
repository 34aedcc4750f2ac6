import http from "node:http";
import https from "node:https";
import type { App, Ask } from "./app.ts";

export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

const answerTimeoutMs = 30_000;

/** These belong to a connection or to a moment, and not to the answer. */
const notCompared = new Set(["date", "connection", "keep-alive"]);

/** One request on a connection of its own. Redirects are not followed: they are answers. */
export function ask(base: string, { path, method, headers, body }: Ask, agent?: http.Agent): Promise<Answer> {
  const url = new URL(path, base);
  const module = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const request = module.request(
      url,
      {
        method: method ?? "GET",
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
        agent: agent ?? false,
        rejectUnauthorized: false,
        timeout: answerTimeoutMs,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const { rawHeaders } = response;
          const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1]!] as const] : []));
          resolve({ status: response.statusCode!, headers: pairs, body: Buffer.concat(chunks) });
        });
      },
    );
    request.once("timeout", () => request.destroy(new Error(`no answer within ${answerTimeoutMs / 1_000} s`)));
    request.once("error", reject);
    request.end(body);
  });
}

/** All of a program's answers, in order; with its cookies kept if it wants that. */
export async function askAll(base: string, { requests, cookies }: App): Promise<readonly Answer[]> {
  const jar = new Map<string, string>();
  const answers: Answer[] = [];
  for (const request of requests) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...request.headers, ...(cookies === true && cookie !== "" ? { cookie } : {}) };
    const answer = await ask(base, { ...request, headers });
    for (const [name, value] of answer.headers) {
      if (name.toLowerCase() !== "set-cookie") continue;
      const [, key, content] = /^([^=]+)=([^;]*)/.exec(value) ?? [];
      if (key !== undefined) jar.set(key, content!);
    }
    answers.push(answer);
  }
  return answers;
}

/** The first difference between what a program answered by itself and what it answered here; `undefined` if none. */
export function difference(app: App, expected: readonly Answer[], actual: readonly Answer[]): string | undefined {
  for (const [index, request] of app.requests.entries()) {
    const found = differenceOf(stable(expected[index]!, app), stable(actual[index]!, app));
    if (found !== undefined) return `${request.method ?? "GET"} ${request.path}: ${found}`;
  }
  return undefined;
}

interface StableAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

function stable({ status, headers, body }: Answer, app: App): StableAnswer {
  const placed = headers.some(([name, value]) => isOurCookie(name, value));
  const kept = headers
    .filter(([name, value]) => !notCompared.has(name.toLowerCase()) && !isOurCookie(name, value))
    // Comes along with our cookie, which caches are not to hand to others.
    .filter(([name, value]) => !(placed && name === "Cache-Control" && value === "private"))
    .map(
      ([name, value]) => `${name}: ${masked(name.toLowerCase() === "set-cookie" ? cookieShape(value) : value, app)}`,
    );
  return { status, headers: kept, body: masked(body.toString("latin1"), app) };
}

/** The affinity's cookie is the primary's own, and not part of the program's answer. */
function isOurCookie(name: string, value: string): boolean {
  return name.toLowerCase() === "set-cookie" && value.startsWith("lb=");
}

function cookieShape(value: string): string {
  return value.replace(/^([^=]+)=[^;]*/, "$1=…").replace(/Expires=[^;]*/i, "Expires=…");
}

function masked(text: string, { volatile = [] }: App): string {
  return volatile.reduce((left, pattern) => left.replace(pattern, "…"), text);
}

function differenceOf(expected: StableAnswer, actual: StableAnswer): string | undefined {
  if (expected.status !== actual.status) {
    return `status ${actual.status} instead of ${expected.status} (${excerpt(actual.body, 0)})`;
  }
  const missing = expected.headers.find((line) => !actual.headers.includes(line));
  const extra = actual.headers.find((line) => !expected.headers.includes(line));
  if (missing !== undefined || extra !== undefined) return `header ${quoted(extra)} instead of ${quoted(missing)}`;
  if (expected.headers.join("\n") !== actual.headers.join("\n")) return "the order of the headers";
  if (expected.body === actual.body) return undefined;
  const shorter = Math.min(expected.body.length, actual.body.length);
  let at = 0;
  while (at < shorter && expected.body[at] === actual.body[at]) at += 1;
  return `at byte ${at} of the body: ${excerpt(actual.body, at)} instead of ${excerpt(expected.body, at)}`;
}

function quoted(line: string | undefined): string {
  return line === undefined ? "none" : JSON.stringify(line.length > 120 ? `${line.slice(0, 120)}…` : line);
}

function excerpt(text: string, at: number): string {
  return JSON.stringify(text.slice(Math.max(0, at - 20), at + 60));
}
