import type { Random } from "../../src/model/random.ts";
import { chunkedBodies, dictionary } from "./http-corpus.ts";
import { integerBelow, pick } from "./mutate.ts";

/**
 * Messages put together from parts that are each valid, so that many pass: mutation alone explores what is refused more
 * than what is relayed.
 */

const methods = "GET HEAD POST PUT DELETE OPTIONS PATCH PROPFIND REPORT QUERY UNSUBSCRIBE".split(" ");
const targets = [
  "/",
  "/a",
  "/a/b?c=d&e",
  "//evil/",
  '/%2e%2e/\\|^`{}"<>',
  "http://b.example/x",
  "*",
  "https://c:1?q",
  "/?",
];
const hosts = ["a.example", "127.0.0.1:3000", "[::1]:80", "localhost", "A_b.Example:1"];
const values = ["", "a", "a b", "\ta\t", 'a,b;c="d"', "\xe4\xff", "  a  ", "0", "chunked", "close", "a:b", "a\tb"];
const headerLines = dictionary.filter((entry) => entry.endsWith("\r\n") && entry.length > 4);
const nameOctets = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

export function composeRequest(random: Random): string {
  const version = random() < 0.85 ? "1.1" : "1.0";
  const lines = [...(random() < 0.95 ? [`Host: ${pick(hosts, random)}\r\n`] : []), ...someLines(random)];
  const { framing, body } = composeBody(random, 0.5);
  lines.splice(integerBelow(lines.length + 1, random), 0, framing);
  return `${pick(methods, random)} ${pick(targets, random)} HTTP/${version}\r\n${lines.join("")}\r\n${body}`;
}

export function composeResponse(random: Random): string {
  const interim =
    random() < 0.1 ? `HTTP/1.1 ${pick(["100", "102", "103"], random)} \r\n${someLines(random).join("")}\r\n` : "";
  const status = pick(["200", "201", "204", "206", "304", "404", "426", "500", "599", "101"], random);
  const { framing, body } = composeBody(random, 0.15);
  const lines = someLines(random);
  lines.splice(integerBelow(lines.length + 1, random), 0, framing);
  return `${interim}HTTP/1.${random() < 0.85 ? 1 : 0} ${status} ${pick(values, random)}\r\n${lines.join("")}\r\n${body}`;
}

function someLines(random: Random): string[] {
  return Array.from({ length: integerBelow(6, random) }, () => {
    if (random() < 0.4) return pick(headerLines, random);
    const name = Array.from({ length: 1 + integerBelow(8, random) }, () => pick([...nameOctets], random)).join("");
    return `${name}:${pick(values, random)}\r\n`;
  });
}

function composeBody(random: Random, none: number): { readonly framing: string; readonly body: string } {
  if (random() < none) return { framing: "", body: "" };
  if (random() < 0.5) return { framing: "Transfer-Encoding: chunked\r\n", body: pick(chunkedBodies, random) };
  const body = "b".repeat(integerBelow(40, random));
  return { framing: `Content-Length: ${body.length}\r\n`, body };
}
