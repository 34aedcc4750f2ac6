import { expect, test } from "vitest";
import { endsHere, wayOf } from "./named-fields.ts";

test.each([
  ["accept", "passes"],
  ["cookie", "passes"],
  ["host", "passes"],
  ["", "passes"],
  ["x-real-ip-hash", "passes"],
  ["connection", "ends-here"],
  ["keep-alive", "ends-here"],
  ["te", "ends-here"],
  ["transfer-encoding", "ends-here"],
  ["proxy-connection", "ends-here"],
  ["proxy-authentication-info", "ends-here"],
  ["http2-settings", "ends-here"],
  ["x-forwarded-for", "if-trusted"],
  ["x-forwarded-prefix", "if-trusted"],
  ["x-real-ip", "if-trusted"],
  ["x_forwarded_for", "never"],
  ["x-real_ip", "never"],
  ["forwarded", "never"],
  ["proxy", "never"],
  ["expect", "never"],
  ["trailer", "never"],
] as const)("%s: %s", (name, way) => {
  expect([wayOf(name), wayOf(name)]).toEqual([way, way]);
  expect(endsHere(name)).toBe(way === "ends-here");
});

test("a flood of names is answered, and not remembered", () => {
  for (let n = 0; n < 5_000; n += 1) expect(wayOf(`x-forwarded-${n}`)).toBe("if-trusted");
});
