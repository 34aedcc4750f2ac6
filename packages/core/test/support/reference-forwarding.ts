import type { ForwardingFacts } from "../../src/http/forwarding.ts";
import type { RequestHead } from "../../src/http/request-head.ts";
import type { ResponseHead } from "../../src/http/response-head.ts";

/**
 * What should be left of a head's fields, by the letter of the rules and without a thought for speed: a second opinion
 * for the fuzzer. Fields are `[name, value]`.
 */
type Field = readonly [name: string, value: string];

const endHere = new Set(
  "connection keep-alive proxy-connection proxy-authenticate proxy-authorization proxy-authentication-info http2-settings te upgrade".split(
    " ",
  ),
);
const peerSays = /^(x-forwarded(-.*)?|x-real-ip|client-cert(-chain)?|x-client-cert(-.*)?)$/;

/** Fields a worker should see of a request from an untrusted peer, in order. */
export function referenceUpstreamFields(head: RequestHead, facts: ForwardingFacts): Field[] {
  const fields = pairs(head.headers);
  const options = connectionOptions(fields);
  const isChunked = fields.some(([name]) => is(name, "transfer-encoding"));
  const result: Field[] = fields.some(([name]) => is(name, "host")) ? [] : [["Host", head.host]];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (endHere.has(lower) || options.includes(lower)) continue;
    if (peerSays.test(lower.replaceAll("_", "-")) || lower === "forwarded" || lower === "proxy") continue;
    if (lower === "trailer" && !isChunked) continue;
    if (lower === "expect" && !head.expectsContinue) continue;
    if (lower === "host") result.push([head.authority === undefined ? name : "Host", head.host]);
    else if (lower === "content-length") result.push(["", String(Number(value))]);
    else if (lower === "transfer-encoding") result.push(["", "chunked"]);
    else result.push([name, value]);
  }
  const acceptsTrailers = fields.some(([name, value]) => is(name, "te") && elements(value).includes("trailers"));
  if (head.upgrade !== undefined) result.push(["Connection", "Upgrade"], ["Upgrade", head.upgrade]);
  else if (acceptsTrailers) result.push(["Connection", "TE"], ["TE", "trailers"]);
  result.push(["X-Forwarded-For", facts.peerAddress], ["X-Forwarded-Proto", "http"]);
  if (head.host !== "") result.push(["X-Forwarded-Host", head.host]);
  result.push(["X-Forwarded-Port", String(facts.localPort)], ["X-Real-IP", facts.peerAddress]);
  return result;
}

/** Fields an HTTP/1.1 client should see of a response on a connection that is to be kept, in order. */
export function referenceDownstreamFields(head: ResponseHead): Field[] {
  const fields = pairs(head.headers);
  const options = connectionOptions(fields);
  const { status } = head;
  const mayUpgrade = (status === 101 || status === 426) && fields.some(([name]) => is(name, "upgrade"));
  const result: Field[] = [];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower === "upgrade" && mayUpgrade) result.push([name, value]);
    if (endHere.has(lower) || options.includes(lower)) continue;
    if (lower === "content-length") {
      if (status >= 200 && status !== 204) result.push(["", String(Number(value))]);
    } else if (lower === "transfer-encoding") {
      if (status >= 200 && status !== 204) result.push(["", "chunked"]);
    } else if (lower === "trailer") {
      if (head.framing.kind === "chunked") result.push([name, value]);
    } else result.push([name, value]);
  }
  const closes = head.framing.kind === "close";
  if (status === 101) result.push(["Connection", "Upgrade"]);
  else if (mayUpgrade) result.push(["Connection", closes ? "Upgrade, close" : "Upgrade"]);
  else if (closes) result.push(["Connection", "close"]);
  return result;
}

/** Whether `raw`, as Node gives it, has these fields. An empty name stands for a framing field of any spelling. */
export function hasFields(raw: readonly string[], expected: readonly Field[]): boolean {
  const seen = pairs(raw);
  return (
    seen.length === expected.length &&
    seen.every(([name, value], index) => {
      const [wantedName, wantedValue] = expected[index]!;
      return (name === wantedName || wantedName === "") && value === wantedValue;
    })
  );
}

function pairs(list: readonly string[]): Field[] {
  return Array.from({ length: list.length / 2 }, (_, index) => [list[2 * index]!, list[2 * index + 1]!] as const);
}

function connectionOptions(fields: readonly Field[]): string[] {
  return fields.filter(([name]) => is(name, "connection")).flatMap(([, value]) => elements(value));
}

function elements(value: string): string[] {
  return value.split(",").map((element) => element.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase());
}

function is(name: string, lower: string): boolean {
  return name.toLowerCase() === lower;
}
