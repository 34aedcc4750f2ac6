import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cookieOf,
  cookieRule,
  expectSlot,
  parsed,
  sessionRule,
  testAffinity,
  view,
  visit,
} from "../../test/support/test-affinity.ts";

const day = 86_400_000;
const runs = { seed: 20_240_607, numRuns: 300 } as const;

/** Any octets, as text the way the front reads them. */
const octets = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

describe("cookie", () => {
  test("a first response names its slot, and the next request goes there without another cookie", () => {
    const { affinity } = testAffinity(cookieRule);
    const first = affinity.decide(view());
    expect(first).toEqual({ kind: "none", cookie: "set" });
    const cookie = cookieOf(affinity.responseFields(first, 3, false));
    const next = affinity.decide(view(`theme=dark; ${cookie}`));
    expect(next).toMatchObject({ kind: "slot", slot: 3, incarnation: undefined, source: "cookie" });
    expect(affinity.responseFields(next, 3, false)).toEqual([]);
  });

  test("has the attributes it should, and forbids shared caches to store the response", () => {
    const { affinity } = testAffinity({ ...cookieRule, name: "sticky", path: "/app", ttlMs: 90_000 });
    const [name, value, ...rest] = affinity.responseFields(affinity.decide(view()), 0, false);
    expect(name).toBe("Set-Cookie");
    expect(value).toMatch(/^sticky=[\w-]{32}; Path=\/app; Max-Age=90; HttpOnly; SameSite=Lax$/);
    expect(rest).toEqual(["Cache-Control", "private"]);
  });

  test("is Secure when the client came over TLS, and only then", () => {
    const { affinity } = testAffinity(cookieRule);
    const none = affinity.decide(view());
    const [, secure = ""] = affinity.responseFields(none, 0, true);
    const [, plain = ""] = affinity.responseFields(none, 0, false);
    expect(secure).toBe(`${plain}; Secure`);
    expect(affinity.responseFields(none, 0, true)[1]).toBe(secure);
  });

  test("names the slot and not what runs there, so that another start of the primary understands it", () => {
    const before = testAffinity(cookieRule);
    const after = testAffinity(cookieRule);
    expect(after.affinity.decide(view(visit(before.affinity, 2)))).toMatchObject({ slot: 2, incarnation: undefined });
  });

  test("holds nothing of the client: who comes at about the same time gets the same", () => {
    const { affinity, wall } = testAffinity(cookieRule);
    const cookies = new Set<string>();
    for (let minute = 0; minute < 20; minute++) {
      wall.now += 60_000;
      cookies.add(visit(affinity, 1));
    }
    // A step of the expiry is 1/64 of a day, 22.5 minutes.
    expect(cookies.size).toBeLessThanOrEqual(2);
    expect(cookies).not.toContain(visit(affinity, 2));
  });

  test("several machines with one secret agree", () => {
    const rule = { ...cookieRule, secrets: ["known on all machines"] } as const;
    const [one, other] = [testAffinity(rule), testAffinity(rule)];
    expect(visit(one.affinity, 4)).toBe(visit(other.affinity, 4));
    expect(other.affinity.decide(view(visit(one.affinity, 4)))).toMatchObject({ slot: 4, cookie: "keep" });
  });

  test("rotation: what the older secret signed still counts, and is replaced", () => {
    const older = testAffinity({ ...cookieRule, secrets: ["the older secret"] });
    const both = testAffinity({ ...cookieRule, secrets: ["the newer secret", "the older secret"] });
    const newer = testAffinity({ ...cookieRule, secrets: ["the newer secret"] });
    const decision = both.affinity.decide(view(visit(older.affinity, 4)));
    expect(decision).toMatchObject({ kind: "slot", slot: 4, cookie: "set" });
    const replaced = cookieOf(both.affinity.responseFields(decision, 4, false));
    expect(both.affinity.decide(view(replaced))).toMatchObject({ slot: 4, cookie: "keep" });
    expect(newer.affinity.decide(view(replaced))).toMatchObject({ slot: 4, cookie: "keep" });
    expect(newer.affinity.decide(view(visit(older.affinity, 4)))).toEqual({ kind: "none", cookie: "set" });
  });

  describe("expiry", () => {
    test("is kept in the first half of its life, renewed in the second, ignored after it", () => {
      const { affinity, wall } = testAffinity(cookieRule);
      const cookie = visit(affinity, 5);
      const issuedAt = wall.now;
      // What is left is the life-time, and up to one step of 1/64 of it.
      for (const [share, decision] of [
        [0, { kind: "slot", slot: 5, cookie: "keep" }],
        [0.49, { kind: "slot", slot: 5, cookie: "keep" }],
        [0.52, { kind: "slot", slot: 5, cookie: "set" }],
        [0.99, { kind: "slot", slot: 5, cookie: "set" }],
        [1.02, { kind: "none", cookie: "set" }],
        [100, { kind: "none", cookie: "set" }],
      ] as const) {
        wall.now = issuedAt + share * day;
        expect(affinity.decide(view(cookie)), `after ${share} of its life`).toMatchObject(decision);
      }
    });

    test("whoever comes back within half the life-time stays for good", () => {
      const { affinity, wall } = testAffinity({ ...cookieRule, ttlMs: 10_000 });
      let cookie = visit(affinity, 2);
      for (let turn = 0; turn < 50; turn++) {
        wall.now += 5_000;
        const decision = affinity.decide(view(cookie));
        expect(decision).toMatchObject({ kind: "slot", slot: 2 });
        const fields = affinity.responseFields(decision, 2, false);
        if (fields.length > 0) cookie = cookieOf(fields);
      }
    });

    test("is never shorter than asked, nor longer by more than a step", () => {
      fc.assert(
        fc.property(fc.integer({ min: 1_000, max: 400 * day }), fc.nat({ max: 2 ** 40 }), (ttlMs, start) => {
          const { affinity, wall } = testAffinity({ ...cookieRule, ttlMs });
          wall.now = start;
          const cookie = visit(affinity, 1);
          wall.now = start + ttlMs - 1;
          expect(affinity.decide(view(cookie)).kind).toBe("slot");
          wall.now = start + ttlMs + Math.max(2_000, ttlMs / 64 + 1_000);
          expect(affinity.decide(view(cookie)).kind).toBe("none");
        }),
        runs,
      );
    });

    test("one that is good for far too long is replaced: the machine's time was wrong, or the option another", () => {
      const { affinity, wall } = testAffinity({ ...cookieRule, ttlMs: 60_000 });
      wall.now = Date.UTC(2090, 0, 1);
      const cookie = visit(affinity, 1);
      wall.now = Date.UTC(2024, 0, 1);
      const decision = affinity.decide(view(cookie));
      expect(decision).toMatchObject({ kind: "slot", slot: 1, cookie: "set" });
      expect(affinity.decide(view(cookieOf(affinity.responseFields(decision, 1, false))))).toMatchObject({
        cookie: "keep",
      });
    });
  });

  test("FAULTS 56: the slot cannot take the request: the strategy chooses, and the cookie moves", () => {
    const { affinity } = testAffinity(cookieRule);
    const request = view(visit(affinity, 1));
    const wanted = expectSlot(affinity.decide(request));
    expect(wanted).toMatchObject({ slot: 1, cookie: "keep" });
    const instead = affinity.decideAfter(wanted, request);
    expect(instead).toEqual({ kind: "none", cookie: "set" });
    const moved = cookieOf(affinity.responseFields(instead, 2, false));
    expect(affinity.decide(view(moved))).toMatchObject({ kind: "slot", slot: 2, cookie: "keep" });
  });

  test("FAULTS 56: the slot took the request and failed, and a retry answered: the cookie moves too", () => {
    const { affinity } = testAffinity(cookieRule);
    const decision = affinity.decide(view(visit(affinity, 1)));
    const moved = cookieOf(affinity.responseFields(decision, 2, false));
    expect(affinity.decide(view(moved))).toMatchObject({ slot: 2 });
  });

  describe("BAD-INPUTS 86: forged, so ignored, balanced anew and replaced", () => {
    test("random texts, random bytes among them", () => {
      const { affinity } = testAffinity(cookieRule);
      const values = fc.string({ unit: fc.constantFrom(..."AZaz09-_"), minLength: 32, maxLength: 32 });
      fc.assert(
        fc.property(
          fc.oneof(
            octets,
            values.map((value) => `lb=${value}`),
            octets.map((text) => `lb=${text}`),
          ),
          (header) => {
            expect(affinity.decide(view(header))).toEqual({ kind: "none", cookie: "set" });
            expect(affinity.stripCookie!(header)).not.toMatch(/(^|;)[ \t]*lb[ \t]*=/);
          },
        ),
        runs,
      );
    });

    test("any change to a real one", () => {
      const { affinity } = testAffinity(cookieRule);
      const cookie = visit(affinity, 1);
      fc.assert(
        fc.property(fc.integer({ min: 3, max: cookie.length - 1 }), fc.constantFrom(..."AZaz09-_ =;"), (at, char) => {
          fc.pre(cookie[at] !== char);
          const forged = cookie.slice(0, at) + char + cookie.slice(at + 1);
          expect(affinity.decide(view(forged))).toEqual({ kind: "none", cookie: "set" });
        }),
        runs,
      );
    });

    test("one that was signed for another name, or is a session's prefix", () => {
      const { affinity } = testAffinity(cookieRule, sessionRule);
      const other = testAffinity({ ...cookieRule, name: "other" });
      const renamed = visit(other.affinity, 1).replace("other=", "lb=");
      expect(affinity.decide(view(renamed)).kind).toBe("none");
      expect(affinity.decide(view(`lb=${affinity.sessionPrefix(1, 1)}`)).kind).toBe("none");
    });
  });

  test.each(["10.0.0.1:22", "127.0.0.1:3001", "http://169.254.169.254/", "1", "slot-1", "1.1", "/run/lb/1.sock"])(
    "BAD-INPUTS 87: a cookie that names %s decides nothing",
    (value) => {
      const { affinity } = testAffinity(cookieRule);
      expect(affinity.decide(view(`lb=${value}`))).toEqual({ kind: "none", cookie: "set" });
      expect(affinity.decide(view(`lb=${Buffer.from(value).toString("base64url")}`)).kind).toBe("none");
    },
  );

  test("BAD-INPUTS 87: what is named is a slot, so there is nothing in a decision that could be dialled", () => {
    const { affinity } = testAffinity(cookieRule);
    const cookie = visit(affinity, 1);
    const decision = affinity.decide(view(cookie));
    expect(Object.keys(decision).sort()).toEqual(["cookie", "incarnation", "kind", "rule", "slot", "source"]);
    const bytes = Buffer.from(cookie.slice(3), "base64url").toString("latin1");
    for (const text of ["127", "3001", "slot", "lb"]) expect(bytes).not.toContain(text);
  });

  describe("BAD-INPUTS 88: duplicate or huge cookies are ignored", () => {
    const { affinity } = testAffinity(cookieRule);
    const cookie = visit(affinity, 1);
    test.each([
      ["two of the same", `${cookie}; ${cookie}`],
      ["two for different slots", `${cookie}; a=1; ${visit(affinity, 2)}`],
      ["a real one and a forged one", `${cookie}; lb=x`],
      ["a forged one and a real one", `lb=; ${cookie}`],
      ["a value of 16 KB", `lb=${"A".repeat(16_000)}`],
      ["a real one with 16 KB behind it", `${cookie}${"A".repeat(16_000)}`],
      ["quotes around it", cookie.replace("=", '="').concat('"')],
    ])("%s", (_, header) => {
      expect(affinity.decide(view(header))).toEqual({ kind: "none", cookie: "set" });
      expect(affinity.stripCookie!(header)).toBe(header.includes("a=1") ? "a=1" : "");
    });

    test("two lines, each with one", () => {
      const lines = ["GET / HTTP/1.1", "Host: a", `Cookie: ${cookie}`, "Cookie: a=1", `Cookie: ${visit(affinity, 2)}`];
      expect(affinity.decide(parsed(lines))).toEqual({ kind: "none", cookie: "set" });
      expect(affinity.decide(parsed(lines.slice(0, 4)))).toMatchObject({ kind: "slot", slot: 1 });
    });
  });

  test("the app sees all cookies but ours", () => {
    const { affinity } = testAffinity(cookieRule);
    const cookie = visit(affinity, 1);
    expect(affinity.stripCookie!(`a=1; ${cookie}; b=2`)).toBe("a=1; b=2");
    expect(affinity.stripCookie!(cookie)).toBe("");
    const others = "a=1; balb=2; lbc=3; d=lb=4";
    expect(affinity.stripCookie!(others)).toBe(others);
  });
});
