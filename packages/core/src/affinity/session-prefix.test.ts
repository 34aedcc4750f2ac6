import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cookieRule, ipRule, parsed, sessionRule, testAffinity } from "../../test/support/test-affinity.ts";

const runs = { seed: 20_240_607, numRuns: 300 } as const;

/** Any octets, as text the way the front reads them. */
const octets = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

describe("socket.io", () => {
  const { affinity } = testAffinity(sessionRule);
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
    const { affinity: both } = testAffinity(sessionRule, ipRule);
    const opening = { target: "/socket.io/?EIO=4&transport=polling", clientAddress: "192.0.2.1" };
    expect(affinity.decide(opening)).toEqual({ kind: "none", cookie: "leave" });
    expect(both.decide(opening)).toMatchObject({ kind: "key", source: "ip" });
    expect(both.decide({ ...opening, target: `${opening.target}&sid=${sid}` })).toMatchObject({ slot: 3 });
  });

  test("the prefix differs for each incarnation, is opaque, and leaves the id behind it alone", () => {
    const prefixes = [affinity.sessionPrefix(0, 1), affinity.sessionPrefix(0, 2), affinity.sessionPrefix(1, 1)];
    expect(new Set(prefixes).size).toBe(3);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[\w-]{32}$/);
    expect(testAffinity(sessionRule).affinity.sessionPrefix(0, 1)).toBe(prefixes[0]);
    expect(testAffinity(cookieRule).affinity.sessionPrefix(0, 1)).toBeUndefined();
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
    const { affinity: tested } = testAffinity(sessionRule);
    const first = tested.decide({ target: `/?sid=${sid}` });
    for (let session = 0; session < 200; session++) {
      const unknown = `${sid.slice(0, 32)}${session}`;
      // The very same decision: the prefix is remembered, a session is not.
      expect(tested.decide({ target: `/?sid=${unknown}` })).toBe(first);
    }
  });

  test("BAD-INPUTS 90: a sid of a foreign or forged prefix is no session of ours", () => {
    const fallback = testAffinity(sessionRule, ipRule).affinity;
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
