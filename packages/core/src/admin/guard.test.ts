import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { type AdminOption, type AdminSettings, adminSchema } from "../options/admin-options.ts";
import { parseOptions } from "../options/validation.ts";
import { AdminGuard, type AskedRequest } from "./guard.ts";

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

function guarded(option: AdminOption = true) {
  const clock = new ManualClock();
  const guard = new AdminGuard(parseOptions(adminSchema, option, "admin") as AdminSettings, clock);
  const asked = { method: "GET", target: "/metrics", host: "localhost:9464", authorization: undefined };
  return {
    clock,
    judge: (request: Partial<AskedRequest> = {}) =>
      guard.judge({ ...asked, remoteAddress: "127.0.0.1", ...request } as AskedRequest),
    status(request: Partial<AskedRequest> = {}) {
      const verdict = this.judge(request);
      return verdict.kind === "passes" ? 200 : verdict.status;
    },
  };
}

describe("BAD-INPUTS 182: who asks for another Host", () => {
  test.each([
    ["localhost", 200],
    ["LOCALHOST:9464", 200],
    ["127.0.0.1:9464", 200],
    ["[::1]:9464", 200],
    ["192.0.2.7", 200],
    ["ops.example:80", 200],
    ["evil.example", 421],
    ["localhost.evil.example", 421],
    ["127.0.0.1.evil.example:9464", 421],
    ["evil-ops.example", 421],
    ["", 421],
    [undefined, 421],
  ])("%s gets %i", (host, status) => {
    expect(guarded({ allowedHosts: ["Ops.Example"] }).status({ host })).toBe(status);
  });

  test("a target in absolute form, which names a host of its own, gets 400", () => {
    expect(guarded().status({ target: "http://evil.example/metrics" })).toBe(400);
  });

  test("at a Unix socket, where no browser gets, the name is nobody's business", () => {
    expect(guarded({ path: "/tmp/lb-admin.sock" }).status({ host: "anything", remoteAddress: undefined })).toBe(200);
  });
});

test.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])("%s gets 405: nothing can be changed", (method) => {
  expect(guarded().status({ method })).toBe(405);
});

const token = "0123456789abcdef";

describe("who may look", () => {
  const sha256 = createHash("sha256").update("correct horse").digest("hex");

  test.each<[string, AdminOption, string]>([
    ["a password", { auth: { user: "ann", password: "correct horse" } }, basic("ann", "correct horse")],
    ["the digest of one", { auth: { user: "ann", passwordHash: `sha256:${sha256}` } }, basic("ann", "correct horse")],
    ["a token", { auth: { token } }, `Bearer ${token}`],
    ["a token, as browsers give it", { auth: { token } }, basic("x", token)],
  ])("by %s", (_, option, authorization) => {
    expect(guarded(option).status({ authorization })).toBe(200);
    for (const wrong of [undefined, "", "Bearer", basic("ann", "wrong"), basic("bob", "correct horse"), "Basic !"]) {
      expect(guarded(option).status({ authorization: wrong })).toBe(401);
    }
  });

  test.each([
    [{ host: "0.0.0.0" }, /beyond loopback.*auth/],
    [{ port: 1, path: "/tmp/x" }, /port or a path/],
    [{ auth: { user: "ann" } }, /give \{ user, password \}/],
    [{ auth: { password: "correct horse" } }, /give \{ user, password \}/],
    [{ auth: { token, user: "ann" } }, /give \{ user, password \}/],
    [{ auth: { user: "a:b", password: "correct horse" } }, /colon/],
    [{ auth: { token: "short" } }, /16 characters/],
    [{ auth: { user: "ann", passwordHash: "5f4dcc3b5aa765d61d8327deb882cf99" } }, /sha256:/],
    [70_000, /65535/],
  ])("%j cannot be used", (option, message) => {
    expect(() => parseOptions(adminSchema, option, "admin")).toThrow(message);
    expect(() => parseOptions(adminSchema, option, "admin")).not.toThrow(/correct horse|short|5f4dcc/);
  });

  test("beyond loopback with a token", () => {
    expect(guarded({ host: "0.0.0.0", auth: { token } }).status({ authorization: `Bearer ${token}` })).toBe(200);
  });
});

describe("BAD-INPUTS 184: who guesses", () => {
  const wrong = { authorization: "Bearer 0123456789abcdeg" };
  const right = { authorization: `Bearer ${token}` };

  test("gets 429 after ten mistakes, also with the right token, until some time has passed", () => {
    const { clock, judge, status } = guarded({ auth: { token } });
    const of = status.bind({ judge });
    for (let time = 0; time < 10; time++) expect(of(wrong)).toBe(401);
    const verdict = judge(wrong);
    expect(verdict).toEqual({ kind: "refused", status: 429, fields: { "retry-after": "10" } });
    expect(of(right)).toBe(429);
    expect(of({ ...right, remoteAddress: "192.0.2.7" })).toBe(200);
    clock.advance(10_000);
    expect(of(wrong)).toBe(401);
    expect(of(wrong)).toBe(429);
    clock.advance(20_000);
    expect(of(right)).toBe(200);
  });

  test("a network of IPv6 is one guesser", () => {
    const guard = guarded({ auth: { token } });
    for (let time = 0; time < 10; time++) guard.judge({ ...wrong, remoteAddress: `2001:db8::${time}` });
    expect(guard.status({ ...right, remoteAddress: "2001:db8::ffff" })).toBe(429);
    expect(guard.status({ ...right, remoteAddress: "2001:db8:0:1::1" })).toBe(200);
  });

  test("who gives nothing has not guessed", () => {
    const guard = guarded({ auth: { token } });
    for (let time = 0; time < 50; time++) expect(guard.status()).toBe(401);
    expect(guard.status(right)).toBe(200);
  });
});
