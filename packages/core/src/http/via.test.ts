import { expect, test } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { RequestHead, RequestHeadParser } from "./request-head.ts";
import { Via } from "./via.ts";

const via = new Via("lb-1");

function isLoop(...fields: string[]): boolean {
  const text = `GET / HTTP/1.1\r\nHost: a\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
  const head = new RequestHeadParser(defaultHttpLimits).parse(Buffer.from(text), 0, text.length);
  if (!(head instanceof RequestHead)) throw new Error("no head");
  return via.isLoop(head.fields);
}

test("BAD-INPUTS 194: a request that comes back again and again is a loop", () => {
  const ours = "1.1 lb-1";
  expect(via.line).toBe("Via: 1.1 lb-1\r\n");
  expect(isLoop()).toBe(false);
  expect(isLoop(`Via: ${ours}`, `via: 1.0 other, ${ours}`)).toBe(false);
  expect(isLoop(`Via: ${ours}`, `via: 1.0 other,${ours} (a comment)`, `VIA: HTTP/2  lb-1`)).toBe(true);
  expect(isLoop(`Via: ${ours}, ${ours}, ${ours}`)).toBe(true);
});

test("others are not taken for us, and there are no more of them than make sense", () => {
  expect(isLoop("Via: 1.1 lb-11, 1.1 LB-1, lb-1, 1.1 x (lb-1), 1.1")).toBe(false);
  expect(isLoop(`Via: ${Array.from({ length: 32 }, () => "1.1 cdn").join(", ")}`)).toBe(false);
  expect(isLoop(`Via: ${Array.from({ length: 33 }, () => "1.1 cdn").join(", ")}`)).toBe(true);
});
