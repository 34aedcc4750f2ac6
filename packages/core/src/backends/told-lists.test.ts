import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { EndpointsFunction } from "../options/backend-endpoint-options.ts";
import { endpointsSettings } from "../options/backend-endpoint-options.ts";
import { ToldLists } from "./told-lists.ts";

function telling(call: EndpointsFunction) {
  const clock = new ManualClock();
  const told: string[][] = [];
  const failed: string[] = [];
  const settings = endpointsSettings(call, "endpoints");
  if (settings.kind !== "function") throw new Error("it is a function");
  const lists = new ToldLists({
    settings,
    everyMs: 10_000,
    clock,
    told: (entries) => told.push(entries.map(({ url }) => url)),
    failed: ({ message }) => failed.push(message),
  });
  onTestFinished(() => lists.close());
  /** Until it has answered, if it does, and the next call is planned. */
  const waits = async () => {
    await new Promise(setImmediate);
    await eventually(() => clock.pending === 1, { what: "the next call is planned" });
  };
  return { clock, told, failed, lists, waits };
}

test("a function is called again and again, be it quick or slow to answer", async () => {
  for (const answer of [(n: number) => [`http://h${n}`], async (n: number) => [`http://h${n}`]]) {
    let calls = 0;
    const { clock, told, waits } = telling(() => answer(++calls));
    await waits();
    clock.advance(9_999);
    expect(calls).toBe(1);
    clock.advance(1);
    await waits();
    expect(told).toEqual([["http://h1"], ["http://h2"]]);
  }
});

test("BAD-INPUTS 190: what it throws, and what is no list, is told, and it is asked again after longer and longer", async () => {
  const answers: unknown[] = [new Error("no"), "http://a", ["nonsense"], "later", ["http://a"]];
  let calls = 0;
  const { clock, told, failed, waits } = telling(() => {
    const answer = answers[calls++];
    if (answer instanceof Error) throw answer;
    if (answer === "later") return Promise.reject(new Error("later"));
    return answer as string[];
  });
  for (const ms of [1_000, 2_000, 4_000, 8_000]) {
    await waits();
    const before = calls;
    clock.advance(ms - 1);
    expect(calls).toBe(before);
    clock.advance(1);
    expect(calls).toBe(before + 1);
  }
  await waits();
  expect(told).toEqual([["http://a"]]);
  expect(failed).toEqual([
    "no",
    expect.stringMatching(/^Option "endpoints" is "http:\/\/a": give a list/),
    expect.stringMatching(/^Option "endpoints\[0\]" is "nonsense"/),
    "later",
  ]);
});

test("one that never answers is given up, and told to stop", async () => {
  let stopped = false;
  const { clock, failed, waits } = telling(({ signal }) => {
    signal.addEventListener("abort", () => {
      stopped = true;
    });
    return new Promise(() => {});
  });
  await waits();
  clock.advance(30_000);
  await waits();
  expect(stopped).toBe(true);
  expect(failed).toEqual(["It has told nothing for 30000 ms"]);
});

test("one that yields its lists is read for as long as it does, called again afterwards, and ended with us", async () => {
  let calls = 0;
  let ended = 0;
  const gates: (() => void)[] = [];
  const { clock, told, failed, lists, waits } = telling(async function* () {
    calls += 1;
    try {
      yield [`http://first${calls}`];
      await new Promise<void>((resolve) => gates.push(resolve));
      if (calls === 1) throw new Error("broke");
      yield [`http://second${calls}`];
      await new Promise<void>((resolve) => gates.push(resolve));
    } finally {
      ended += 1;
    }
  });
  await eventually(() => gates.length === 1, { what: "the first list" });
  gates[0]!();
  await waits();
  expect(failed).toEqual(["broke"]);
  clock.advance(1_000);
  await eventually(() => gates.length === 2, { what: "the first list again" });
  gates[1]!();
  await eventually(() => gates.length === 3, { what: "the second list" });
  expect(told.flat()).toEqual(["http://first1", "http://first2", "http://second2"]);
  lists.close();
  gates[2]!();
  await eventually(() => ended === 2, { what: "its end" });
  expect(clock.pending).toBe(0);
});
