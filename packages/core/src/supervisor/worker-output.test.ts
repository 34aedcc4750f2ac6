import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { OutputLine } from "../model/output-line.ts";
import { OutputHistory } from "./output-history.ts";
import { LineCutter, WorkerOutput } from "./worker-output.ts";

const line = (instance: number, text: string): OutputLine => ({ instance, pid: 1, stream: "stdout", text });

describe("lines", () => {
  const cut = (...pieces: string[]) => {
    const lines: string[] = [];
    const cutter = new LineCutter((text) => lines.push(text));
    for (const piece of pieces) cutter.write(piece);
    const before = lines.length;
    cutter.end();
    return { lines, before };
  };

  it("are told as they are complete, the last one at the end", () => {
    expect(cut("a\nb", "c\r\n", "\n", "rest")).toEqual({ lines: ["a", "bc", "", "rest"], before: 3 });
    expect(cut("a\n").lines).toEqual(["a"]);
  });

  it("are cut where they are endless, so that no more than one piece is held", () => {
    const { lines, before } = cut("x".repeat(10_000), "x".repeat(10_000), "x".repeat(30_000));
    expect(lines.map(({ length }) => length)).toEqual([16_384, 16_384, 16_384, 848]);
    expect(before).toBe(3);
    expect(cut(`${"y".repeat(40_000)}\n`).lines.map(({ length }) => length)).toEqual([16_384, 16_384, 7_232]);
  });
});

describe("the history", () => {
  it("has the last lines, of all or of one", () => {
    const history = new OutputHistory();
    for (let n = 1; n <= 5; n += 1) history.add(line(n % 2, String(n)));
    expect(history.last(3).map(({ text }) => text)).toEqual(["3", "4", "5"]);
    expect(history.last(2, ({ instance }) => instance === 0).map(({ text }) => text)).toEqual(["2", "4"]);
    expect(history.last(0)).toEqual([]);
  });

  it("is bounded by lines and by characters", () => {
    const history = new OutputHistory();
    for (let n = 1; n <= 10_000; n += 1) history.add(line(1, String(n)));
    expect(history.last(20_000).map(({ text }) => text)).toEqual(
      Array.from({ length: 2_000 }, (_, n) => String(8_001 + n)),
    );
    for (let n = 0; n < 200; n += 1) history.add(line(1, "x".repeat(16_384)));
    const kept = history.last(20_000).reduce((sum, { text }) => sum + text.length, 0);
    expect(kept).toBeLessThanOrEqual(1_048_576);
    expect(kept).toBeGreaterThan(1_000_000);
  });
});

it("holds the writers back, and reads on", async () => {
  const told: string[] = [];
  const output = new WorkerOutput(({ instance, stream, text }) => told.push(`${instance} ${stream} ${text}`));
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  output.hold(true);
  output.read(2, { pid: 7, stdout, stderr });
  stdout.write("held\n");
  await new Promise(setImmediate);
  expect(told).toEqual([]);
  output.hold(false);
  await new Promise(setImmediate);
  stderr.write("no end");
  stderr.destroy();
  await new Promise(setImmediate);
  expect(told).toEqual(["2 stdout held", "2 stderr no end"]);
  expect(output.history.last(9)).toHaveLength(2);
});
