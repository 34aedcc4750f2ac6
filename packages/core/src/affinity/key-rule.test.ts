import { describe, expect, test } from "vitest";
import { equalCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { cookieRule, ipRule, testAffinity } from "../../test/support/test-affinity.ts";
import type { RequestView } from "../model/request-view.ts";
import { rendezvous } from "../strategies/rendezvous.ts";

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
    const { affinity } = testAffinity(rule);
    expect(affinity.decide(request)).toEqual({ kind: "key", key, source, cookie: "leave" });
    expect(affinity.decide({})).toEqual({ kind: "none", cookie: "leave" });
    expect(affinity.responseFields(affinity.decide(request), 1, false)).toEqual([]);
    expect(affinity.stripCookie).toBeUndefined();
  });

  test("an empty value is none", () => {
    const { affinity } = testAffinity(ipRule, { kind: "header", name: "x-user" }, { kind: "query", name: "room" });
    expect(affinity.decide({ clientAddress: "", target: "/?room=", header: () => "" }).kind).toBe("none");
  });

  test("ip: the network that the prefix length says, of either family", () => {
    const { affinity } = testAffinity({ kind: "ip", ipv4PrefixLength: 24, ipv6PrefixLength: 48 });
    const key = (clientAddress: string) => affinity.decide({ clientAddress });
    expect(key("192.0.2.1")).toEqual(key("192.0.2.254"));
    expect(key("192.0.2.1")).not.toEqual(key("192.0.3.1"));
    expect(key("2001:db8:1::1")).toEqual(key("2001:db8:1:ffff::2"));
    expect(key("2001:db8:1::1")).not.toEqual(key("2001:db8:2::1"));
  });

  test("query: not what stands in the path, and not what is given twice", () => {
    const { affinity } = testAffinity({ kind: "query", name: "room" });
    for (const target of ["/room=1", "/&room=1?x=2", "/?room=1&room=2", "/?aroom=1", "/?room", "*"]) {
      expect(affinity.decide({ target }).kind, target).toBe("none");
    }
  });

  test("key: a function that throws, or returns nonsense, is reported and costs no request", () => {
    const answers: unknown[] = [7, null, {}, "", undefined];
    const { affinity, failures } = testAffinity({ kind: "key", key: () => answers.shift() as string }, cookieRule);
    for (let turn = 0; turn < 5; turn++) expect(affinity.decide({}).kind).toBe("none");
    expect(failures.map(({ code }) => code)).toEqual(["LB_AFFINITY_KEY", "LB_AFFINITY_KEY", "LB_AFFINITY_KEY"]);
    expect(failures[0]!.message).toBe(
      "The affinity's key function returned a value of type number: return a string or undefined",
    );

    const cause = new Error("no user");
    const throwing = testAffinity({
      kind: "key",
      key: () => {
        throw cause;
      },
    });
    expect(throwing.affinity.decide({})).toEqual({ kind: "none", cookie: "leave" });
    expect(throwing.failures).toMatchObject([{ code: "LB_AFFINITY_KEY", cause }]);
  });

  test("a hash of the key places clients; of those, a dead endpoint moves its own alone", () => {
    const { affinity } = testAffinity(ipRule);
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
