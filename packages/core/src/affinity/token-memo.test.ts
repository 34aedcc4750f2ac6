import { describe, expect, test, vi } from "vitest";
import { SlotTokens } from "./slot-tokens.ts";
import { TokenMemo } from "./token-memo.ts";

const tokens = new SlotTokens(["a secret of the tests"], "test");

function memo(capacity?: number) {
  const meaningOf = vi.fn(({ slot }: { readonly slot: number }) => ({ slot }));
  return { meaningOf, memo: new TokenMemo(tokens, meaningOf, capacity) };
}

/** As in a request: part of a longer text. */
function withinHead(text: string): string {
  return `Cookie: lb=${text}; and more`.slice(11, 11 + text.length);
}

describe("TokenMemo", () => {
  test("verifies a token once, and means the same by it each time", () => {
    const verify = vi.spyOn(tokens, "read");
    const { memo: tested, meaningOf } = memo();
    const text = tokens.issue(7, 1);
    const meaning = tested.read(withinHead(text));
    expect(meaning).toEqual({ slot: 7 });
    for (let turn = 0; turn < 100; turn++) expect(tested.read(withinHead(text))).toBe(meaning);
    expect(meaningOf).toHaveBeenCalledTimes(1);
    expect(verify).toHaveBeenCalledTimes(1);
    verify.mockRestore();
  });

  test("BAD-INPUTS 84: keeps a bounded number of tokens, those in use among them", () => {
    const { memo: tested, meaningOf } = memo(16);
    const inUse = tokens.issue(1, 1);
    const meaning = tested.read(inUse);
    for (let qualifier = 2; qualifier < 500; qualifier++) {
      tested.read(tokens.issue(1, qualifier));
      expect(tested.size).toBeLessThanOrEqual(32);
      // Asked for at least once in each generation.
      if (qualifier % 8 === 0) expect(tested.read(inUse)).toBe(meaning);
    }
    expect(meaningOf).toHaveBeenCalledTimes(499);
  });

  test("BAD-INPUTS 84: made-up tokens take no place", () => {
    const { memo: tested, meaningOf } = memo(16);
    tested.read(tokens.issue(1, 1));
    const others = new SlotTokens(["somebody else's secret"], "test");
    for (let qualifier = 0; qualifier < 1_000; qualifier++) {
      expect(tested.read(others.issue(1, qualifier))).toBeUndefined();
    }
    expect(tested.size).toBe(1);
    expect(meaningOf).toHaveBeenCalledTimes(1);
  });

  test("a text that has not the length of a token costs no verification", () => {
    const verify = vi.spyOn(tokens, "read");
    const { memo: tested } = memo();
    for (const text of ["", "1", tokens.issue(1, 1).slice(1), `${tokens.issue(1, 1)}A`, "A".repeat(10_000)]) {
      expect(tested.read(text)).toBeUndefined();
    }
    expect(verify).not.toHaveBeenCalled();
    verify.mockRestore();
  });
});
