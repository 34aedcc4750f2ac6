import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { type AdminOption, type AdminSettings, adminSchema } from "../options/admin-options.ts";
import { parseOptions } from "../options/validation.ts";
import { AdminGuard, type AskedRequest } from "./guard.ts";

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

function guarded(option: AdminOption = true) {
  const clock = new ManualClock();
  const guard = new AdminGuard(
    parseOptions(adminSchema, option, "admin") as AdminSettings,
    clock,
    (path) => path === "/api/actions",
  );
  const asked = { method: "GET", target: "/metrics", host: "localhost:9464", authorization: undefined };
  return {
    clock,
    link: guard.visitors.linkToken,
    csrf: guard.intent.csrfToken,
    judge: (request: Partial<AskedRequest> = {}) =>
      guard.judge({ ...asked, remoteAddress: "127.0.0.1", ...request } as AskedRequest),
    status(request: Partial<AskedRequest> = {}) {
      const verdict = this.judge(request);
      return verdict.kind === "refused" ? verdict.status : 200;
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
    [{ path: "/tmp/x", tls: { cert: "a.pem", key: "b.pem" } }, /no TLS/],
    [{ tls: { cert: "a.pem" } }, /required/],
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

describe("without auth, at a port that every user of this machine reaches", () => {
  const host = "localhost:9464";

  test("numbers are for all, and the rest is for who has the link", () => {
    const { status, judge, link } = guarded();
    const of = status.bind({ judge });
    expect(of({ target: "/metrics" })).toBe(200);
    for (const target of [
      "/",
      "/api/status",
      "/api/logs",
      "/api/events",
      "/api/session",
      "/?token=wrong",
      "/metrics/",
    ]) {
      expect([target, of({ target })]).toEqual([target, 401]);
    }
    expect(of({ target: "/api/logs", authorization: `Bearer ${link}` })).toBe(200);
    // In no other place: what stands in a URL gets around.
    expect(of({ target: `/api/logs?token=${link}` })).toBe(401);
  });

  test("the link gives a cookie that no script reads and no other site sends, by port", () => {
    const { status, judge, link } = guarded();
    const of = status.bind({ judge });
    const opened = judge({ target: `/?token=${link}` });
    expect(opened).toEqual({
      kind: "signs-in",
      cookie: expect.stringMatching(/^lb-admin-9464=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict$/),
    });
    const [cookie] = (opened as { cookie: string }).cookie.split(";");
    expect(cookie).not.toContain(link);
    expect(of({ target: "/api/logs", cookie: `other=1; ${cookie}` })).toBe(200);
    expect(of({ target: "/api/logs", cookie: `${cookie}x` })).toBe(401);
    expect(of({ target: "/api/logs", cookie: `${cookie}; ${cookie}` })).toBe(401);
    expect(of({ target: "/api/logs", host: "localhost:9465", cookie: cookie! })).toBe(401);
    expect(guarded().status({ target: "/api/logs", cookie: cookie! })).toBe(401);
  });

  test("over TLS the cookie is for that alone, and so is the origin", () => {
    const tls = { cert: "a.pem", key: "b.pem" };
    const { judge, link, csrf } = guarded({ tls, actions: true });
    expect(judge({ target: `/?token=${link}` })).toMatchObject({ cookie: expect.stringMatching(/; Secure$/) });
    const meant = { method: "POST", target: "/api/actions", authorization: `Bearer ${link}`, csrf: csrf! };
    const from = (origin: string) => judge({ ...meant, contentType: "application/json", origin });
    expect(from("https://localhost:9464")).toMatchObject({ kind: "passes" });
    expect(from("http://localhost:9464")).toMatchObject({ status: 403 });
  });

  test("nobody can lock its owner out by wrong ones", () => {
    const { status, judge, link } = guarded();
    const of = status.bind({ judge });
    for (let time = 0; time < 100; time++) of({ target: "/", authorization: "Bearer 0123456789abcdef" });
    expect(of({ target: "/", authorization: `Bearer ${link}` })).toBe(200);
  });

  test("with a token of the operator's own there is such a link, too", () => {
    const { judge, link } = guarded({ auth: { token } });
    expect(link).toBeUndefined();
    expect(judge({ target: `/?token=${token}` })).toMatchObject({ kind: "signs-in" });
    expect(judge({ target: "/metrics" })).toMatchObject({ status: 401 });
  });

  test("a Unix socket is for whom its file is", () => {
    expect(guarded({ path: "/tmp/lb-admin.sock" }).judge({ target: "/api/logs", host })).toMatchObject({
      kind: "passes",
      by: "the socket",
    });
  });
});

describe("BAD-INPUTS 183: who wants something changed", () => {
  const given = guarded({ actions: true, auth: { token } });
  const meant = {
    method: "POST",
    target: "/api/actions",
    authorization: `Bearer ${token}`,
    contentType: "application/json",
    csrf: given.csrf!,
  };

  test.each<[string, Partial<AskedRequest>, number]>([
    ["a program with the token", {}, 200],
    ["our own page", { origin: "http://localhost:9464", site: "same-origin" }, 200],
    ["JSON with a charset", { contentType: "application/json; charset=utf-8" }, 200],
    ["nobody who is known", { authorization: undefined }, 401],
    ["a page that leads here by its own name", { host: "evil.example" }, 421],
    ["without the token of the session", { csrf: undefined }, 403],
    ["with a wrong one", { csrf: `${given.csrf}x` }, 403],
    ["with none", { csrf: "" }, 403],
    ["another origin", { origin: "https://evil.example" }, 403],
    ["no origin that it says", { origin: "null" }, 403],
    ["another port of this machine", { origin: "http://localhost:8080" }, 403],
    ["another scheme", { origin: "https://localhost:9464" }, 403],
    ["a page of another site", { site: "cross-site" }, 403],
    ["a page of another port", { site: "same-site" }, 403],
    ["the address bar", { site: "none" }, 403],
    ["a form", { contentType: "application/x-www-form-urlencoded" }, 415],
    ["a form that looks like JSON", { contentType: "text/plain" }, 415],
    ["without a type", { contentType: undefined }, 415],
    ["something packed", { contentEncoding: "gzip" }, 415],
    ["too much", { contentLength: "8193" }, 413],
    ["to look", { method: "GET" }, 405],
    ["to look, shortly", { method: "HEAD" }, 405],
    ["at another place", { target: "/api/status" }, 405],
  ])("%s gets the answer it should: %j, %i", (_, request, status) => {
    expect(given.status({ ...meant, ...request } as Partial<AskedRequest>)).toBe(status);
  });

  test("without the option nothing is changed, whatever is shown", () => {
    const { judge, csrf } = guarded({ auth: { token } });
    expect(csrf).toBeNull();
    expect(judge({ ...meant, csrf: "null" })).toMatchObject({
      status: 403,
      by: "token",
      why: expect.stringContaining("admin.actions"),
    });
  });
});
