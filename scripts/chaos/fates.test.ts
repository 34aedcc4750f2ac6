import { expect, it } from "vitest";
import { fatesOf, type Happening } from "./fates.ts";
import type { Line } from "./journal.ts";

const exit = (fields: Partial<Extract<Happening, { kind: "exit" }>>): Happening => ({
  kind: "exit",
  pid: 7,
  at: 5_000,
  reason: "crashed",
  signal: null,
  exitCode: 0,
  ...fields,
});
const ready: Happening = { kind: "ready", pid: 7, at: 0 };
const signal = (name: "SIGKILL" | "SIGTERM", at: number): Happening => ({ kind: "signal", pid: 7, at, signal: name });
const draining: Line = { kind: "draining", pid: 7, at: 1_000, graceMs: 1_000, lateMs: 0 };

function fate(happenings: readonly Happening[], journal: readonly Line[] = []) {
  const { deaths, unexplained } = fatesOf([ready, ...happenings], journal);
  return unexplained.length > 0 ? "unexplained" : (deaths.get(7) ?? "in good order");
}

it("knows what an instance died of", () => {
  expect(fate([signal("SIGKILL", 4_900), exit({ signal: "SIGKILL", exitCode: null })])).toEqual({
    from: 4_900,
    to: 5_000,
  });
  expect(fate([exit({ exitCode: 7 })], [{ kind: "dying", pid: 7, at: 4_950 }])).toEqual({ from: 4_950, to: 5_000 });
  const twice = [signal("SIGTERM", 4_000), signal("SIGTERM", 4_990)];
  expect(fate([...twice, exit({ reason: "retired", signal: "SIGTERM" })])).toEqual({
    from: 4_990,
    to: 5_000,
    ordered: true,
  });
});

it("knows an end in good order, which takes nothing along", () => {
  expect(fate([signal("SIGTERM", 4_000), exit({ reason: "retired" })])).toBe("in good order");
  expect(fate([exit({ reason: "replaced", signal: "SIGTERM", exitCode: null })])).toBe("in good order");
});

it("knows what should not have been", () => {
  expect(fate([exit({ exitCode: 1 })])).toBe("unexplained");
  expect(fate([exit({ exitCode: 0 })])).toBe("unexplained");
  expect(fate([exit({ reason: "retired", signal: "SIGKILL", exitCode: null })], [draining])).toBe("unexplained");
});

it("excuses a kill by the primary when the instance lay idle at the end of its grace, and not before", () => {
  const idle: Happening = { kind: "idle", pid: 7, at: 1_500, until: 6_000 };
  const killed = exit({ reason: "replaced", signal: "SIGKILL", exitCode: null });
  expect(fate([idle, killed], [draining])).toEqual({ from: 4_800, to: 5_000, ordered: true });
  expect(fate([idle, killed], [{ ...draining, at: 3_500 }])).toBe("unexplained");
});

it("excuses a kill by the primary when the instance lay idle as its grace began, and heard of it late", () => {
  const idle: Happening = { kind: "idle", pid: 7, at: 1_500, until: 4_000 };
  const heard: Line = { ...draining, at: 4_010 };
  const killed = (at: number) => exit({ at, reason: "scaled-down", signal: "SIGKILL", exitCode: null });
  expect(fate([idle, killed(5_000)], [heard])).toEqual({ from: 4_800, to: 5_000, ordered: true });
  // It was told before it lay idle, or after: its grace was whole.
  expect(fate([idle, killed(4_300)], [heard])).toBe("unexplained");
  expect(fate([idle, killed(5_000)], [{ ...heard, at: 4_500 }])).toBe("unexplained");
});
