import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { knownCluster } from "../../../test/support/known-cluster.ts";
import { frame } from "./frame.ts";
import { heard, type Known, nothingKnown } from "./known.ts";
import { restart } from "./order.ts";
import { widthOf } from "./styled-text.ts";
import { firstView, selectedOf, type View } from "./view.ts";

function drawn(known: Known, view: Partial<View> = {}, { columns = 80, rows = 24, now = 0 } = {}) {
  const lines = frame(known, { ...firstView, ...view }, { columns, rows, charset: "unicode", now });
  return lines.map((line) => line.map(({ text }) => text).join(""));
}

const evil = "\u001b[2J\u001b]0;title\u0007\r\n日本語\t👩‍👩‍👧 \u202e<b>";
const busy = knownCluster({
  name: evil,
  instances: 40,
  routes: [evil, "/api"],
  lines: Array.from({ length: 100 }, (_, at) => `${at} ${evil}`),
  events: Array.from({ length: 100 }, (_, at) => `${at} ${evil}`),
});

test("BAD-INPUTS 182: fills the screen exactly, whatever its size and whatever stands in names and lines", () => {
  const views: readonly Partial<View>[] = [
    {},
    { pane: "logs", scrolled: { traffic: 99, events: 99, logs: 99 } },
    { pane: "traffic" },
    { mode: { kind: "help" } },
    { mode: { kind: "search", before: "" }, search: evil },
    { mode: { kind: "confirm", order: restart(selectedOf(busy, firstView)) as never } },
    { notice: { text: evil, style: "bad" } },
  ];
  const size = fc.record({ columns: fc.integer({ min: 1, max: 260 }), rows: fc.integer({ min: 1, max: 90 }) });
  const lost = heard(busy, { kind: "lost", why: evil, at: 0 });
  fc.assert(
    fc.property(size, fc.constantFrom(...views), fc.constantFrom(busy, lost, nothingKnown), (of, view, known) => {
      const lines = drawn(known, view, of);
      expect(lines).toHaveLength(of.rows);
      for (const line of lines) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what it is about
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
        expect(widthOf(line)).toBe(of.columns);
      }
    }),
    { numRuns: 300 },
  );
});

describe("where there is little room", () => {
  test("40 columns have the columns that matter most", () => {
    const lines = drawn(knownCluster(), {}, { columns: 40 });
    expect(lines[0]).toMatch(/^shop {2}up 65 s {2}3 of 3 ready/);
    expect(lines.find((line) => line.startsWith("requests/s"))).toMatch(/^requests\/s {2}120 +[▁-█ ]+$/);
    expect(lines.find((line) => line.startsWith("id"))?.trim()).toMatch(/^id {2}state {2}req\/s +p95 +cpu {2}memory$/);
  });

  test("ten rows have the pane with the keys, and say what others there are", () => {
    const lines = drawn(knownCluster({ lines: ["one", "two"] }), { pane: "logs" }, { rows: 8 });
    expect(lines.join("\n")).toMatch(/── Logs tab: Instances, Events ──.*\n1 \| one.*\n2 \| two/);
  });

  test("of many instances those around the selected one are shown", () => {
    const text = drawn(knownCluster({ instances: 40 }), { selected: "33" }).join("\n");
    expect(text).toMatch(/\n33 {2}ready/);
    expect(text).not.toMatch(/\n ?1 {2}ready/);
  });
});

test("a tall screen has all panes, and the logs take what is left", () => {
  const known = knownCluster({
    routes: ["/api"],
    lines: Array.from({ length: 99 }, (_, at) => `line ${at}`),
    events: ["one was killed"],
  });
  const lines = drawn(known, {}, { columns: 120, rows: 60 });
  const headings = lines.filter((line) => line.startsWith("── ")).map((line) => line.split(" ")[1]);
  expect(headings).toEqual(["Instances", "Routes", "Events", "Logs"]);
  expect(lines.at(-2)?.trim()).toBe("3 | line 98");
  expect(lines.find((line) => line.startsWith("/api"))).toMatch(/^\/api +7 +14\.3 % +12\.\d ms /);
});

test("logs can be those of the selected instance, and of a word; the heading says so", () => {
  const known = knownCluster({ lines: ["apple", "pear", "apple pie", "APPLE"] });
  const view = { pane: "logs", selected: "1", onlySelected: true, search: "apple" } as const;
  expect(drawn(known, view).join("\n")).toMatch(/── Logs of 1 with "apple" ──.*\n1 \| apple .*\n1 \| APPLE /);
});

test("a cluster that is gone is shown as it was, and since when it is", () => {
  const lost = heard(knownCluster(), { kind: "lost", why: "is gone", at: 1_000 });
  expect(drawn(lost, {}, { now: 6_000 })[0]).toMatch(/^shop {2}is gone, since 5 s /);
  expect(drawn(lost).join("\n")).toMatch(/\n 1 {2}ready/);
});
