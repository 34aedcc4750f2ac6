import { describe, expect, test } from "vitest";
import {
  cookieRule,
  expectSlot,
  ipRule,
  secret,
  sessionRule,
  testAffinity,
  visit,
} from "../../test/support/test-affinity.ts";
import type { RequestView } from "../model/request-view.ts";
import type { RuleSettings } from "../options/affinity-options.ts";

describe("several rules", () => {
  const list = [sessionRule, { kind: "header", name: "x-user" }, cookieRule, ipRule] as const;
  const { affinity } = testAffinity(...list);
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
    const prefix = (rules: [RuleSettings, ...RuleSettings[]]) => testAffinity(...rules).affinity.sessionPrefix(1, 1);
    expect(prefix([sessionRule, named])).toBe(prefix([{ ...sessionRule, secrets: named.secrets }]));
    expect(prefix([sessionRule, cookieRule])).toBe(prefix([{ ...sessionRule, secrets: [secret] }]));
    expect(prefix([sessionRule, named])).not.toBe(prefix([sessionRule, cookieRule]));
  });
});
