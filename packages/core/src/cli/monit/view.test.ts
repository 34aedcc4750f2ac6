import { describe, expect, test } from "vitest";
import { instanceOf, knownCluster } from "../../../test/support/known-cluster.ts";
import type { Known } from "./known.ts";
import { firstView, type Pressed, pressed, type View } from "./view.ts";

/** The keys one after the other, and what the last one came to. */
function press(keys: readonly string[], known: Known = knownCluster(), view: View = firstView): Pressed {
  return keys.reduce<Pressed>((before, key) => pressed(before.view, key, known), { view });
}

const backend = {
  name: "py",
  kind: "program" as const,
  waiting: 0,
  endpoints: [],
  instances: [instanceOf(1), instanceOf(2)],
  reload: null,
};

describe("what changes something", () => {
  test.each([
    ["r", ["r"], { command: "reload", argument: { options: {} } }],
    ["R on the second", ["down", "R"], { command: "restart", argument: { id: 2 } }],
    ["d on the last", ["end", "d"], { command: "drain", argument: { id: 3 } }],
    ["u on the first", ["end", "home", "u"], { command: "resume", argument: { id: 1 } }],
    ["+", ["+"], { command: "scale", argument: { instances: 4 } }],
    ["-", ["-"], { command: "scale", argument: { instances: 2 } }],
  ])("%s is asked for once more", (_, keys, order) => {
    const asked = press(keys);
    expect(asked.effect).toBeUndefined();
    expect(asked.view.mode).toMatchObject({ kind: "confirm", order });
    expect(press([...keys, "y"]).effect).toMatchObject({ kind: "order", order });
    for (const no of ["n", "escape", "q", "r", " ", "down"]) {
      const refused = press([...keys, no]);
      expect([refused.effect, refused.view.mode.kind]).toEqual([undefined, "look"]);
    }
  });

  test("is about the instances of a backend where one of them is selected", () => {
    const known = knownCluster({ backends: [backend] });
    expect(press(["end", "R", "y"], known).effect).toMatchObject({ order: { argument: { backend: "py", id: 2 } } });
    expect(press(["end", "+", "y"], known).effect).toMatchObject({
      order: { argument: { backend: "py", instances: 3 } },
    });
  });

  test("says why it cannot be", () => {
    expect(press(["-"], knownCluster({ instances: 1 })).view.notice?.text).toContain("would leave none");
    expect(press(["d"], knownCluster({ instances: 0 })).view.notice?.text).toBe("select an instance first");
    expect(press(["d"], knownCluster({ instances: 0 })).view.mode.kind).toBe("look");
  });
});

test("Ctrl-C quits from anywhere, q where it is no letter", () => {
  for (const before of [[], ["?"], ["r"], ["/"], ["/", "a"]]) {
    expect(press([...before, "ctrl-c"]).effect).toEqual({ kind: "quit" });
  }
  expect(press(["q"]).effect).toEqual({ kind: "quit" });
  expect(press(["/", "q"]).view.search).toBe("q");
});

test("tab goes round the panes there are", () => {
  const walk = (known: Known, key: string) =>
    [1, 2, 3, 4].map((times) => press(new Array<string>(times).fill(key), known).view.pane);
  expect(walk(knownCluster(), "tab")).toEqual(["events", "logs", "instances", "events"]);
  expect(walk(knownCluster({ routes: ["/api"] }), "tab")).toEqual(["traffic", "events", "logs", "instances"]);
  expect(walk(knownCluster(), "shift-tab").slice(0, 2)).toEqual(["logs", "events"]);
});

test("a search is written, taken back, and left", () => {
  expect(press(["/", "a", "b", "backspace", "c", "enter"]).view).toMatchObject({
    search: "ac",
    mode: { kind: "look" },
  });
  expect(press(["/", "a", "enter", "/", "b", "escape"]).view).toMatchObject({ search: "a", mode: { kind: "look" } });
  expect(press(["/", "a", "enter", "escape"]).view.search).toBe("");
});

test("the selection stays with the instance, and one that has gone leaves it to the first", () => {
  const { view } = press(["down", "down"]);
  expect(view.selected).toBe("3");
  expect(press(["R"], knownCluster({ instances: 2 }), view).view.mode).toMatchObject({
    order: { argument: { id: 1 } },
  });
});

test("scrolling ends at the ends", () => {
  const known = knownCluster({ lines: Array.from({ length: 30 }, (_, at) => String(at)) });
  const logs: View = { ...firstView, pane: "logs" };
  expect(press(["up", "pageup", "pageup", "pageup", "pageup"], known, logs).view.scrolled.logs).toBe(29);
  expect(press(["home", "down", "pagedown"], known, logs).view.scrolled.logs).toBe(18);
  expect(press(["home", "end"], known, logs).view.scrolled.logs).toBe(0);
});
