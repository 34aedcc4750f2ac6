import { describe, expect, it } from "vitest";
import { judge, rangeHolds } from "./preconditions.ts";

const now = Date.UTC(2026, 0, 1) / 1_000;
const changed = 784_111_777;
const before = "Sun, 06 Nov 1994 08:49:36 GMT";
const then = "Sun, 06 Nov 1994 08:49:37 GMT";
const after = "Sun, 06 Nov 1994 08:49:38 GMT";
const version = { etag: '"a-1"', lastModified: changed };
const weak = { etag: 'W/"a-1"', lastModified: changed };
const unknown = { etag: undefined, lastModified: undefined };

function asked(fields: Record<string, string>) {
  return { header: (name: string) => fields[name] };
}

describe("judge", () => {
  it.each([
    [{}, "proceed"],
    [{ "if-none-match": '"a-1"' }, "not-modified"],
    [{ "if-none-match": 'W/"a-1"' }, "not-modified"],
    [{ "if-none-match": '"x", "a-1" , "y"' }, "not-modified"],
    [{ "if-none-match": "*" }, "not-modified"],
    [{ "if-none-match": '"x"' }, "proceed"],
    [{ "if-none-match": '"A-1"' }, "proceed"],
    [{ "if-modified-since": before }, "proceed"],
    [{ "if-modified-since": then }, "not-modified"],
    [{ "if-modified-since": after }, "not-modified"],
    [{ "if-none-match": '"x"', "if-modified-since": after }, "proceed"],
    [{ "if-match": '"a-1"' }, "proceed"],
    [{ "if-match": "*" }, "proceed"],
    [{ "if-match": '"x"' }, "failed"],
    [{ "if-match": 'W/"a-1"' }, "failed"],
    [{ "if-unmodified-since": before }, "failed"],
    [{ "if-unmodified-since": then }, "proceed"],
    [{ "if-match": '"a-1"', "if-unmodified-since": before }, "proceed"],
    [{ "if-match": '"a-1"', "if-none-match": '"a-1"' }, "not-modified"],
    [{ "if-match": '"x"', "if-none-match": '"a-1"' }, "failed"],
    [{ "if-none-match": "a-1" }, "proceed"],
    [{ "if-none-match": '"a-1' }, "proceed"],
    [{ "if-none-match": '*, "a-1"' }, "proceed"],
    [{ "if-none-match": "" }, "proceed"],
    [{ "if-modified-since": "yesterday" }, "proceed"],
    [{ "if-match": "a-1" }, "proceed"],
    [{ "if-unmodified-since": "x 1" }, "proceed"],
  ] as const)("BAD-INPUTS 176: of %o is %s", (fields, verdict) => {
    expect(judge(asked(fields), version, now)).toBe(verdict);
  });

  it("takes a weak validator for the same version, but not for the very bytes", () => {
    expect(judge(asked({ "if-none-match": '"a-1"' }), weak, now)).toBe("not-modified");
    expect(judge(asked({ "if-match": '"a-1"' }), weak, now)).toBe("failed");
  });

  it("lets conditions on a version that nobody knows pass", () => {
    expect(judge(asked({ "if-none-match": '"a-1"' }), unknown, now)).toBe("proceed");
    expect(judge(asked({ "if-none-match": "*" }), unknown, now)).toBe("not-modified");
    expect(judge(asked({ "if-modified-since": after }), unknown, now)).toBe("proceed");
  });

  it("needs no long look at long lists that are none", () => {
    const field = `"a",${" ,\t".repeat(20_000)}x`;
    const begun = performance.now();
    expect(judge(asked({ "if-none-match": field }), version, now)).toBe("proceed");
    expect(performance.now() - begun).toBeLessThan(200);
  });
});

describe("rangeHolds", () => {
  it.each([
    [undefined, true],
    ['"a-1"', true],
    ['"x"', false],
    ['W/"a-1"', false],
    [then, true],
    [before, false],
    [after, false],
    ["garbage", false],
  ])("%s: %s", (field, holds) => {
    expect(rangeHolds(field, version, now)).toBe(holds);
  });

  it("never holds with a weak validator", () => {
    expect(rangeHolds('W/"a-1"', weak, now)).toBe(false);
    expect(rangeHolds(then, weak, now)).toBe(false);
  });
});
