import { describe, expect, it } from "vitest";
import { ProbeCounter } from "./probe-counter.ts";

const verdicts = (results: string) => {
  const counter = new ProbeCounter({ healthyAfter: 2, unhealthyAfter: 3 });
  return [...results].map((result) => counter.add(result === "+")).join(" ");
};

describe("ProbeCounter", () => {
  it("takes one success for the first verdict, and the full number of failures", () => {
    expect(verdicts("+")).toBe("up");
    expect(verdicts("--+")).toBe("undecided undecided up");
    expect(verdicts("---")).toBe("undecided undecided down");
  });

  it("changes only after enough equal results in a row", () => {
    expect(verdicts("+--+---")).toBe("up up up up up up down");
    expect(verdicts("---+-++")).toBe("undecided undecided down down down down up");
  });
});
