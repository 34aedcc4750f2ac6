import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { defaultHttpLimits } from "../http/limits.ts";
import { RequestHead, RequestHeadParser } from "../http/request-head.ts";
import type { LbError } from "../model/errors.ts";
import type { RequestView } from "../model/request-view.ts";
import { rendezvous } from "../strategies/rendezvous.ts";
import { Affinity } from "./affinity.ts";
import type { AffinityDecision, SlotDecision } from "./decision.ts";
import { cookieDefaults, ipDefaults, type RuleSettings } from "./settings.ts";

const secret = "the secret of these tests";
const day = 86_400_000;
const runs = { seed: 20_240_607, numRuns: 300 } as const;

const cookieRule = { kind: "cookie", ...cookieDefaults, secrets: undefined } as const;
const sessionRule = { kind: "socket.io", secrets: undefined } as const;
const ipRule = { kind: "ip", ...ipDefaults } as const;

/** Any octets, as text the way the front reads them. */
const octets = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

/** An affinity whose wall clock stands until it is set. */
function made(...settings: [RuleSettings, ...RuleSettings[]]) {
  const wall = { now: Date.UTC(2024, 5, 1) };
  const failures: LbError[] = [];
  const affinity = new Affinity({
    settings,
    secret,
    wallClock: () => wall.now,
    keyFailed: (error) => failures.push(error),
  });
  return { affinity, wall, failures };
}

function view(cookie?: string, rest: Partial<RequestView> = {}): RequestView {
  return { ...rest, header: (name) => (name === "cookie" ? cookie : undefined) };
}

/** A request as the front reads it off the wire. */
function parsed(lines: readonly string[], body = ""): RequestHead {
  const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1");
  const head = new RequestHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length);
  if (!(head instanceof RequestHead)) throw new Error("The request of this test is not valid");
  return head;
}

/** What the client sends back: the first attribute of Set-Cookie. */
function cookieOf(fields: readonly string[]): string {
  const setCookie = fields[fields.indexOf("Set-Cookie") + 1]!;
  return setCookie.slice(0, setCookie.indexOf(";"));
}

/** Has a client come for the first time, and slot `slot` answer it. */
function visit(affinity: Affinity, slot: number): string {
  return cookieOf(affinity.responseFields(affinity.decide(view()), slot, false));
}

function expectSlot(decision: AffinityDecision): SlotDecision {
  if (decision.kind !== "slot") throw new Error(`The decision is "${decision.kind}"`);
  return decision;
}

describe("cookie", () => {
  test("a first response names its slot, and the next request goes there without another cookie", () => {
    const { affinity } = made(cookieRule);
    const first = affinity.decide(view());
    expect(first).toEqual({ kind: "none", cookie: "set" });
    const cookie = cookieOf(affinity.responseFields(first, 3, false));
    const next = affinity.decide(view(`theme=dark; ${cookie}`));
    expect(next).toMatchObject({ kind: "slot", slot: 3, incarnation: undefined, source: "cookie" });
    expect(affinity.responseFields(next, 3, false)).toEqual([]);
  });

  test("has the attributes it should, and forbids shared caches to store the response", () => {
    const { affinity } = made({ ...cookieRule, name: "sticky", path: "/app", ttlMs: 90_000 });
    const [name, value, ...rest] = affinity.responseFields(affinity.decide(view()), 0, false);
    expect(name).toBe("Set-Cookie");
    expect(value).toMatch(/^sticky=[\w-]{32}; Path=\/app; Max-Age=90; HttpOnly; SameSite=Lax$/);
    expect(rest).toEqual(["Cache-Control", "private"]);
  });

  test("is Secure when the client came over TLS, and only then", () => {
    const { affinity } = made(cookieRule);
    const none = affinity.decide(view());
    const [, secure = ""] = affinity.responseFields(none, 0, true);
    const [, plain = ""] = affinity.responseFields(none, 0, false);
    expect(secure).toBe(`${plain}; Secure`);
    expect(affinity.responseFields(none, 0, true)[1]).toBe(secure);
  });

  test("names the slot and not what runs there, so that another start of the primary understands it", () => {
    const before = made(cookieRule);
    const after = made(cookieRule);
    expect(after.affinity.decide(view(visit(before.affinity, 2)))).toMatchObject({ slot: 2, incarnation: undefined });
  });

  test("holds nothing of the client: who comes at about the same time gets the same", () => {
    const { affinity, wall } = made(cookieRule);
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
    const [one, other] = [made(rule), made(rule)];
    expect(visit(one.affinity, 4)).toBe(visit(other.affinity, 4));
    expect(other.affinity.decide(view(visit(one.affinity, 4)))).toMatchObject({ slot: 4, cookie: "keep" });
  });

  test("rotation: what the older secret signed still counts, and is replaced", () => {
    const older = made({ ...cookieRule, secrets: ["the older secret"] });
    const both = made({ ...cookieRule, secrets: ["the newer secret", "the older secret"] });
    const newer = made({ ...cookieRule, secrets: ["the newer secret"] });
    const decision = both.affinity.decide(view(visit(older.affinity, 4)));
    expect(decision).toMatchObject({ kind: "slot", slot: 4, cookie: "set" });
    const replaced = cookieOf(both.affinity.responseFields(decision, 4, false));
    expect(both.affinity.decide(view(replaced))).toMatchObject({ slot: 4, cookie: "keep" });
    expect(newer.affinity.decide(view(replaced))).toMatchObject({ slot: 4, cookie: "keep" });
    expect(newer.affinity.decide(view(visit(older.affinity, 4)))).toEqual({ kind: "none", cookie: "set" });
  });

  describe("expiry", () => {
    test("is kept in the first half of its life, renewed in the second, ignored after it", () => {
      const { affinity, wall } = made(cookieRule);
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
      const { affinity, wall } = made({ ...cookieRule, ttlMs: 10_000 });
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
          const { affinity, wall } = made({ ...cookieRule, ttlMs });
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
      const { affinity, wall } = made({ ...cookieRule, ttlMs: 60_000 });
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
    const { affinity } = made(cookieRule);
    const request = view(visit(affinity, 1));
    const wanted = expectSlot(affinity.decide(request));
    expect(wanted).toMatchObject({ slot: 1, cookie: "keep" });
    const instead = affinity.decideAfter(wanted, request);
    expect(instead).toEqual({ kind: "none", cookie: "set" });
    const moved = cookieOf(affinity.responseFields(instead, 2, false));
    expect(affinity.decide(view(moved))).toMatchObject({ kind: "slot", slot: 2, cookie: "keep" });
  });

  test("FAULTS 56: the slot took the request and failed, and a retry answered: the cookie moves too", () => {
    const { affinity } = made(cookieRule);
    const decision = affinity.decide(view(visit(affinity, 1)));
    const moved = cookieOf(affinity.responseFields(decision, 2, false));
    expect(affinity.decide(view(moved))).toMatchObject({ slot: 2 });
  });

  describe("BAD-INPUTS 86: forged, so ignored, balanced anew and replaced", () => {
    test("random texts, random bytes among them", () => {
      const { affinity } = made(cookieRule);
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
      const { affinity } = made(cookieRule);
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
      const { affinity } = made(cookieRule, sessionRule);
      const other = made({ ...cookieRule, name: "other" });
      const renamed = visit(other.affinity, 1).replace("other=", "lb=");
      expect(affinity.decide(view(renamed)).kind).toBe("none");
      expect(affinity.decide(view(`lb=${affinity.sessionPrefix(1, 1)}`)).kind).toBe("none");
    });
  });

  test.each(["10.0.0.1:22", "127.0.0.1:3001", "http://169.254.169.254/", "1", "slot-1", "1.1", "/run/lb/1.sock"])(
    "BAD-INPUTS 87: a cookie that names %s decides nothing",
    (value) => {
      const { affinity } = made(cookieRule);
      expect(affinity.decide(view(`lb=${value}`))).toEqual({ kind: "none", cookie: "set" });
      expect(affinity.decide(view(`lb=${Buffer.from(value).toString("base64url")}`)).kind).toBe("none");
    },
  );

  test("BAD-INPUTS 87: what is named is a slot, so there is nothing in a decision that could be dialled", () => {
    const { affinity } = made(cookieRule);
    const cookie = visit(affinity, 1);
    const decision = affinity.decide(view(cookie));
    expect(Object.keys(decision).sort()).toEqual(["cookie", "incarnation", "kind", "rule", "slot", "source"]);
    const bytes = Buffer.from(cookie.slice(3), "base64url").toString("latin1");
    for (const text of ["127", "3001", "slot", "lb"]) expect(bytes).not.toContain(text);
  });

  describe("BAD-INPUTS 88: duplicate or huge cookies are ignored", () => {
    const { affinity } = made(cookieRule);
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
    const { affinity } = made(cookieRule);
    const cookie = visit(affinity, 1);
    expect(affinity.stripCookie!(`a=1; ${cookie}; b=2`)).toBe("a=1; b=2");
    expect(affinity.stripCookie!(cookie)).toBe("");
    const others = "a=1; balb=2; lbc=3; d=lb=4";
    expect(affinity.stripCookie!(others)).toBe(others);
  });
});

describe("keys", () => {
  test.each([
    ["ip", ipRule, { clientAddress: "192.0.2.1" }, "192.0.2.1"],
    [
      "header",
      { kind: "header", name: "X-User" },
      { header: (name: string) => (name === "x-user" ? "ann" : "") },
      "ann",
    ],
    ["query", { kind: "query", name: "room" }, { target: "/chat?x=1&room=a%20b&y=2" }, "a%20b"],
    ["key", { kind: "key", key: ({ method }: RequestView) => method }, { method: "PUT" }, "PUT"],
  ] as const)("%s", (source, rule, request, key) => {
    const { affinity } = made(rule);
    expect(affinity.decide(request)).toEqual({ kind: "key", key, source, cookie: "leave" });
    expect(affinity.decide({})).toEqual({ kind: "none", cookie: "leave" });
    expect(affinity.responseFields(affinity.decide(request), 1, false)).toEqual([]);
    expect(affinity.stripCookie).toBeUndefined();
  });

  test("an empty value is none", () => {
    const { affinity } = made(ipRule, { kind: "header", name: "x-user" }, { kind: "query", name: "room" });
    expect(affinity.decide({ clientAddress: "", target: "/?room=", header: () => "" }).kind).toBe("none");
  });

  test("ip: the network that the prefix length says, of either family", () => {
    const { affinity } = made({ kind: "ip", ipv4PrefixLength: 24, ipv6PrefixLength: 48 });
    const key = (clientAddress: string) => affinity.decide({ clientAddress });
    expect(key("192.0.2.1")).toEqual(key("192.0.2.254"));
    expect(key("192.0.2.1")).not.toEqual(key("192.0.3.1"));
    expect(key("2001:db8:1::1")).toEqual(key("2001:db8:1:ffff::2"));
    expect(key("2001:db8:1::1")).not.toEqual(key("2001:db8:2::1"));
  });

  test("query: not what stands in the path, and not what is given twice", () => {
    const { affinity } = made({ kind: "query", name: "room" });
    for (const target of ["/room=1", "/&room=1?x=2", "/?room=1&room=2", "/?aroom=1", "/?room", "*"]) {
      expect(affinity.decide({ target }).kind, target).toBe("none");
    }
  });

  test("key: a function that throws, or returns nonsense, is reported and costs no request", () => {
    const answers: unknown[] = [7, null, {}, "", undefined];
    const { affinity, failures } = made({ kind: "key", key: () => answers.shift() as string }, cookieRule);
    for (let turn = 0; turn < 5; turn++) expect(affinity.decide({}).kind).toBe("none");
    expect(failures.map(({ code }) => code)).toEqual(["LB_AFFINITY_KEY", "LB_AFFINITY_KEY", "LB_AFFINITY_KEY"]);
    expect(failures[0]!.message).toBe(
      "The affinity's key function returned a value of type number: return a string or undefined",
    );

    const cause = new Error("no user");
    const throwing = made({
      kind: "key",
      key: () => {
        throw cause;
      },
    });
    expect(throwing.affinity.decide({})).toEqual({ kind: "none", cookie: "leave" });
    expect(throwing.failures).toMatchObject([{ code: "LB_AFFINITY_KEY", cause }]);
  });

  test("a hash of the key places clients; of those, a dead endpoint moves its own alone", () => {
    const { affinity } = made(ipRule);
    // How a balancer joins the two: its hash strategy is asked for the key that was decided.
    let key = "";
    const strategy = rendezvous({ key: () => key });
    const candidates = equalCandidates(5);
    const all = strategy.picker(candidates);
    const without2 = strategy.picker(nonEmpty(candidates.filter(({ endpoint }) => endpoint.slot !== 2)));
    let moved = 0;
    for (let client = 0; client < 1_000; client++) {
      const decision = affinity.decide({ clientAddress: `198.51.${client >> 8}.${client & 255}` });
      if (decision.kind !== "key") throw new Error("An address is a key");
      key = decision.key;
      const [before, after] = [all.pick({}).endpoint.slot, without2.pick({}).endpoint.slot];
      if (before === 2) moved++;
      else expect(after).toBe(before);
    }
    expect(moved).toBeGreaterThan(140);
    expect(moved).toBeLessThan(260);
  });
});

describe("socket.io", () => {
  const { affinity } = made(sessionRule);
  const own = "lv_VI97HAXpY6yYWAAAC";
  const sid = `${affinity.sessionPrefix(3, 2)}${own}`;

  test("a session's requests go to the incarnation that opened it", () => {
    const expected = { kind: "slot", slot: 3, incarnation: 2, source: "socket.io", cookie: "leave" };
    for (const target of [
      `/socket.io/?EIO=4&transport=polling&sid=${sid}`,
      `/socket.io/?sid=${sid}&EIO=4&transport=websocket`,
      `/?sid=${sid}`,
    ]) {
      expect(affinity.decide({ target })).toMatchObject(expected);
    }
  });

  test("an opening request has no session and falls to the next rule", () => {
    const { affinity: both } = made(sessionRule, ipRule);
    const opening = { target: "/socket.io/?EIO=4&transport=polling", clientAddress: "192.0.2.1" };
    expect(affinity.decide(opening)).toEqual({ kind: "none", cookie: "leave" });
    expect(both.decide(opening)).toMatchObject({ kind: "key", source: "ip" });
    expect(both.decide({ ...opening, target: `${opening.target}&sid=${sid}` })).toMatchObject({ slot: 3 });
  });

  test("the prefix differs for each incarnation, is opaque, and leaves the id behind it alone", () => {
    const prefixes = [affinity.sessionPrefix(0, 1), affinity.sessionPrefix(0, 2), affinity.sessionPrefix(1, 1)];
    expect(new Set(prefixes).size).toBe(3);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[\w-]{32}$/);
    expect(made(sessionRule).affinity.sessionPrefix(0, 1)).toBe(prefixes[0]);
    expect(made(cookieRule).affinity.sessionPrefix(0, 1)).toBeUndefined();
  });

  test("BAD-INPUTS 89: only a sid in the query is one", () => {
    const targets = [`/sid=${sid}`, `/${sid}/`, `/&sid=${sid}`, `/?asid=${sid}`, `/?a=sid=${sid}`, `/?SID=${sid}`];
    for (const target of targets) expect(affinity.decide({ target }).kind, target).toBe("none");
    const body = `sid=${sid}`;
    const lines = [
      "POST /socket.io/?EIO=4 HTTP/1.1",
      "Host: a",
      `Referer: http://a/socket.io/?EIO=4&sid=${sid}`,
      `Cookie: sid=${sid}; io=${sid}`,
      `X-Original-URL: /?sid=${sid}`,
      `Content-Length: ${body.length}`,
    ];
    expect(affinity.decide(parsed(lines, body)).kind).toBe("none");
    expect(affinity.decide(parsed([`GET /?sid=${sid} HTTP/1.1`, ...lines.slice(1, 5)]))).toMatchObject({ slot: 3 });
  });

  test("BAD-INPUTS 90: an unknown sid behind a good prefix goes to its worker, which answers", () => {
    const { affinity: tested } = made(sessionRule);
    const first = tested.decide({ target: `/?sid=${sid}` });
    for (let session = 0; session < 200; session++) {
      const unknown = `${sid.slice(0, 32)}${session}`;
      // The very same decision: the prefix is remembered, a session is not.
      expect(tested.decide({ target: `/?sid=${unknown}` })).toBe(first);
    }
  });

  test("BAD-INPUTS 90: a sid of a foreign or forged prefix is no session of ours", () => {
    const fallback = made(sessionRule, ipRule).affinity;
    const others = [own, "", sid.slice(0, 32), sid.slice(1), `${sid.slice(0, 31)}${sid[31] === "A" ? "B" : "A"}${own}`];
    for (const other of others) {
      const request = { target: `/socket.io/?EIO=4&sid=${other}`, clientAddress: "192.0.2.1" };
      expect(fallback.decide(request), other).toMatchObject({ kind: "key", source: "ip" });
    }
    expect(affinity.decide({ target: `/?sid=${sid}&sid=${sid}` }).kind).toBe("none");
  });

  test("random sids never decide and never throw", () => {
    const texts = fc.oneof(octets, fc.base64String({ minLength: 40 }));
    fc.assert(
      fc.property(texts, (text) => {
        expect(affinity.decide({ target: `/socket.io/?sid=${text}` })).toEqual({ kind: "none", cookie: "leave" });
      }),
      runs,
    );
  });
});

describe("several rules", () => {
  const list = [sessionRule, { kind: "header", name: "x-user" }, cookieRule, ipRule] as const;
  const { affinity } = made(...list);
  const sid = `${affinity.sessionPrefix(1, 1)}0123456789`;

  function request({ session = false, user = false, cookie = "" }): RequestView {
    return {
      target: session ? `/?sid=${sid}` : "/",
      clientAddress: "192.0.2.1",
      header: (name) => (name === "x-user" && user ? "ann" : name === "cookie" && cookie !== "" ? cookie : undefined),
    };
  }

  test("the first that finds something decides", () => {
    const cookie = visit(affinity, 2);
    const sources = [
      [{ session: true, user: true, cookie }, "socket.io"],
      [{ user: true, cookie }, "header"],
      [{ cookie }, "cookie"],
      [{ cookie: "lb=forged" }, "ip"],
    ] as const;
    for (const [parts, source] of sources) expect(affinity.decide(request(parts))).toMatchObject({ source });
  });

  test("the cookie is set where it will be asked for, and left alone where a rule before it decides", () => {
    const cookie = visit(affinity, 2);
    const fields = (parts: Parameters<typeof request>[0], slot: number) =>
      affinity.responseFields(affinity.decide(request(parts)), slot, false).length > 0;
    expect(fields({ session: true }, 1)).toBe(false);
    expect(fields({ user: true, cookie }, 1)).toBe(false);
    expect(fields({ cookie }, 2)).toBe(false);
    expect(fields({ cookie }, 1)).toBe(true);
    expect(fields({}, 1)).toBe(true);
  });

  test("FAULTS 56: when a slot is unusable the rules after it are asked, and no rule twice", () => {
    const all = request({ session: true, user: true, cookie: visit(affinity, 2) });
    const first = expectSlot(affinity.decide(all));
    expect(first.source).toBe("socket.io");
    expect(affinity.decideAfter(first, all)).toMatchObject({ kind: "key", source: "header" });

    const without = request({ session: true, cookie: visit(affinity, 2) });
    const second = expectSlot(affinity.decideAfter(expectSlot(affinity.decide(without)), without));
    expect(second).toMatchObject({ source: "cookie", slot: 2 });
    const third = affinity.decideAfter(second, without);
    expect(third).toMatchObject({ kind: "key", source: "ip", cookie: "set" });
  });

  test("rules that name no secret share the one that another names, else the given one", () => {
    const named = { ...cookieRule, secrets: ["a secret in the options"] } as const;
    const prefix = (rules: [RuleSettings, ...RuleSettings[]]) => made(...rules).affinity.sessionPrefix(1, 1);
    expect(prefix([sessionRule, named])).toBe(prefix([{ ...sessionRule, secrets: named.secrets }]));
    expect(prefix([sessionRule, cookieRule])).toBe(prefix([{ ...sessionRule, secrets: [secret] }]));
    expect(prefix([sessionRule, named])).not.toBe(prefix([sessionRule, cookieRule]));
  });
});
