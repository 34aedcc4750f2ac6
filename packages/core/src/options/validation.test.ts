import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { OptionError } from "../model/errors.ts";
import {
  milliseconds,
  nearest,
  offOr,
  oneOf,
  options,
  parseOptions,
  positiveNumber,
  share,
  wholeNumber,
} from "./validation.ts";

const schema = options({
  port: wholeNumber(0, 65_535),
  mode: v.optional(oneOf(["proxy", "handoff"]), "proxy"),
  probe: v.optional(offOr(options({ intervalMs: v.optional(milliseconds(1), 500) })), false),
  shares: v.optional(v.array(share()), []),
});

const parse = (input: unknown) => parseOptions(schema, input, "cluster");

function refusal(input: unknown, prefix = "cluster"): string {
  try {
    parseOptions(schema, input, prefix);
  } catch (error) {
    if (error instanceof OptionError) return `${error.option}: ${error.message.replace(/^Option ".*?" is /, "")}`;
    throw error;
  }
  return "accepted";
}

describe("parseOptions", () => {
  it("fills in defaults and freezes at every level", () => {
    const parsed = parseOptions(schema, { port: 80, probe: {} }, "");
    expect(parsed).toEqual({ port: 80, mode: "proxy", probe: { intervalMs: 500 }, shares: [] });
    expect(Object.isFrozen(parsed) && Object.isFrozen(parsed.probe)).toBe(true);
    expectTypeOf(parsed.probe).toEqualTypeOf<false | Readonly<{ intervalMs: number }>>();
    expect(parseOptions(schema, { port: 80, probe: false, mode: undefined }, "")).toMatchObject({ probe: false });
  });

  it("names the option, its value and what to do", () => {
    expect(refusal({ port: "80" })).toBe('cluster.port: "80": give a whole number from 0 to 65535');
    expect(refusal({ port: 80, probe: { intervalMs: 0 } })).toBe(
      "cluster.probe.intervalMs: 0: give milliseconds of at least 1",
    );
    expect(refusal({ port: 80, shares: [1, 2] })).toBe(
      "cluster.shares[1]: 2: give a share between 0 (none) and 1 (all)",
    );
    expect(refusal({ port: 80.5 }, "")).toBe("port: 80.5: give a whole number from 0 to 65535");
    expect(refusal({})).toBe("cluster.port: undefined: it is required");
    expect(refusal({ port: 80, probe: "off" })).toBe('cluster.probe: "off": give an object of options');
  });

  it.each([[null], [undefined], [3], [[]], ["x"]])("wants an object, not %j", (input) => {
    expect(refusal(input)).toMatch(/^cluster: .*: give an object of options$/);
    expect(refusal(input, "")).toMatch(/^options: /);
  });

  it("refuses unknown names, and guesses what was meant", () => {
    expect(refusal({ port: 80, prort: 3 })).toBe(
      'cluster.prort: a number: there is no such option; did you mean "port"?',
    );
    expect(refusal({ port: 80, probe: { every: 3 } })).toBe(
      "cluster.probe.every: a number: there is no such option; known are intervalMs",
    );
    expect(refusal({ port: 80, probe: { intervalms: 3 } })).toContain('did you mean "intervalMs"?');
    expect(refusal({ port: 80, zzz: 3 })).toContain("known are port, mode, probe, shares");
    expect(refusal(JSON.parse('{"port":80,"__proto__":{}}'))).toContain("cluster.__proto__: an object");
  });

  it("shows nothing of what an unknown name has", () => {
    expect(refusal({ port: 80, secrte: "hush" })).toBe(
      "cluster.secrte: a text: there is no such option; known are port, mode, probe, shares",
    );
  });

  it("takes options by inheritance, but not what every object inherits", () => {
    const polluted = Object.prototype as { foo?: unknown; port?: unknown };
    Object.assign(polluted, { foo: 1, port: 1 });
    try {
      expect(parse({ port: 80, probe: {} })).toMatchObject({ port: 80 });
      expect(refusal({})).toBe("cluster.port: undefined: it is required");
    } finally {
      delete polluted.foo;
      delete polluted.port;
    }
    expect(parse(Object.create({ port: 80 }))).toMatchObject({ port: 80 });
    class Given {
      get port() {
        return 81;
      }
    }
    expect(parse(new Given())).toMatchObject({ port: 81 });
  });

  it("guesses at misspelt names", () => {
    expect(refusal({ port: 80, mode: "hand-off" })).toBe(
      'cluster.mode: "hand-off": did you mean "handoff"? If not, use one of "proxy", "handoff"',
    );
    expect(refusal({ port: 80, mode: 7 })).toBe('cluster.mode: 7: use one of "proxy", "handoff"');
  });
});

describe("the kinds of values", () => {
  const accepts = (kind: v.GenericSchema, input: unknown) => v.is(kind, input);

  it.each([
    ["wholeNumber", wholeNumber(1), [1, 2 ** 53 - 1], [0, 1.5, 2 ** 53, Number.NaN, "1", null]],
    ["milliseconds", milliseconds(0), [0, 0.5, 2 ** 31 - 1], [-1, 2 ** 31, Number.POSITIVE_INFINITY, Number.NaN]],
    ["share", share(), [0, 0.5, 1], [-0.1, 1.1, Number.NaN, "0.5"]],
    ["positiveNumber", positiveNumber(), [1e-9, 1e9], [0, -1, Number.POSITIVE_INFINITY, Number.NaN]],
  ])("%s", (_name, kind, good, bad) => {
    expect(good.filter((input) => !accepts(kind, input))).toEqual([]);
    expect(bad.filter((input) => accepts(kind, input))).toEqual([]);
  });
});

describe("nearest", () => {
  it.each([
    ["least-conections", "least-connections"],
    ["RoundRobin", "round-robin"],
    ["maglev", "maglev"],
    ["xyz", undefined],
    ["", undefined],
  ])("for %j gives %j", (name, expected) => {
    expect(nearest(name, ["least-connections", "round-robin", "maglev"])).toBe(expected);
  });
});
