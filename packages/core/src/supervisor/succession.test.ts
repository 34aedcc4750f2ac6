import { describe, expect, it } from "vitest";
import { holderOf, membersOf, type Succession, takersOf, withdrawn, without } from "./succession.ts";

const successor = { worker: "new", observer: { ready() {}, failed() {} } };
const none = (holder: string | undefined): Succession<string> => ({ kind: "none", holder });
const starting: Succession<string> = { kind: "starting", holder: "old", successor };
const canary: Succession<string> = { kind: "canary", holder: "old", successor };
const promoted: Succession<string> = { kind: "promoted", successor, standby: "old" };
const alone: Succession<string> = { kind: "promoted", successor, standby: undefined };
const givenBack: Succession<string> = { kind: "given-back", holder: "old", successor };

describe("a succession", () => {
  it.each([
    ["nobody", none(undefined), undefined, [], []],
    ["one that serves", none("old"), "old", ["old"], ["old"]],
    ["a successor that starts", starting, "old", ["old", "new"], ["old"]],
    ["a canary", canary, "old", ["old", "new"], ["old", "new"]],
    ["a successor that took over", promoted, "new", ["new", "old"], ["new"]],
    ["one that nobody stands by for", alone, "new", ["new"], ["new"]],
    ["one that left service", givenBack, "old", ["old", "new"], ["old"]],
  ])(
    "knows with %s who holds the slot, has a part in it, takes traffic",
    (_what, succession, holder, members, takers) => {
      expect(holderOf(succession)).toBe(holder);
      expect(membersOf(succession)).toEqual(members);
      expect(takersOf(succession)).toEqual(takers);
    },
  );

  it.each([starting, canary, promoted, givenBack])(
    "goes back to the holder of before without its successor: %o",
    (one) => {
      expect(without(one, "new")).toEqual(none("old"));
    },
  );

  it("is empty when the successor ends and nobody stands by", () => {
    expect(without(alone, "new")).toEqual(none(undefined));
    expect(without(none("old"), "old")).toEqual(none(undefined));
  });

  it("goes on when the predecessor ends", () => {
    for (const one of [starting, canary, givenBack]) expect(without(one, "old")).toEqual({ ...one, holder: undefined });
    expect(without(promoted, "old")).toEqual(alone);
  });

  it("has nothing to do with others that leave", () => {
    for (const one of [none("old"), starting, canary, promoted, alone, givenBack]) {
      expect(without(one, "stranger")).toBe(one);
      expect(withdrawn(one, "stranger")).toBe(one);
    }
  });

  it("gives the slot back when the one that took over serves no longer, if somebody stands by", () => {
    expect(withdrawn(promoted, "new")).toEqual(givenBack);
    for (const one of [none("old"), starting, canary, alone, givenBack]) expect(withdrawn(one, "new")).toBe(one);
    for (const one of [none("old"), starting, canary, promoted, givenBack]) expect(withdrawn(one, "old")).toBe(one);
  });
});
