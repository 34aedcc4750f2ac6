import { expect, test } from "vitest";
import { endsHere, isWithheld, wayOf } from "./named-fields.ts";

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

test.each([
  ["X-Forwarded-For", "if-untrusted"],
  ["x-real-ip", "if-untrusted"],
  ["Forwarded", "always"],
  ["X_Forwarded_For", "always"],
  ["Proxy", "always"],
  ["Proxy-Authorization", "always"],
  ["Keep-Alive", "always"],
  ["HTTP2-Settings", "always"],
  ["Connection", "never"],
  ["Transfer-Encoding", "never"],
  ["Expect", "never"],
  ["Trailer", "never"],
  ["X-Requested-With", "never"],
  ["", "never"],
] as const)("on a client's own connection %s is withheld from the app: %s", (name, when) => {
  expect(isWithheld(name, { trusted: false })).toBe(when !== "never");
  expect(isWithheld(name, { trusted: true })).toBe(when === "always");
});

test("a flood of names is answered, and not remembered", () => {
  for (let n = 0; n < 5_000; n += 1) expect(wayOf(`x-forwarded-${n}`)).toBe("if-trusted");
});
