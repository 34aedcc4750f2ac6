import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../model/clock.ts";
import type { LogEntry } from "./log-entry.ts";
import { jsonLine, textLines } from "./log-format.ts";
import { StandardError } from "./standard-error.ts";

const at = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
const entry: LogEntry = { event: "exit", level: "error", instance: 2, message: "ended", fields: { exitCode: 1 } };

describe("an entry", () => {
  test("for people", () => {
    expect(textLines(entry, at, { timestamps: false, colours: false })).toEqual(["lb: ended"]);
    expect(textLines({ ...entry, stack: ["Error: x", "    at y"] }, at, { timestamps: true, colours: false })).toEqual([
      "2026-01-02T03:04:05.006Z lb: ended",
      "    Error: x",
      "        at y",
    ]);
    expect(textLines(entry, at, { timestamps: false, colours: true })[0]).toContain("\u001b[31mended\u001b[39m");
  });

  test("for machines", () => {
    expect(JSON.parse(jsonLine(entry, at))).toEqual({
      time: "2026-01-02T03:04:05.006Z",
      level: "error",
      event: "exit",
      instance: 2,
      message: "ended",
      exitCode: 1,
    });
  });
});

test("a reader that is stuck holds nobody up, and what it missed is counted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lb-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  // Open at both ends by one descriptor, it takes a pipe's worth of bytes and then nothing.
  const descriptor = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const output = new StandardError(systemClock, descriptor);
  const line = "x".repeat(99);
  for (let n = 0; n < 10_000; n += 1) output.line(line);
  const bytes = Buffer.alloc(65_536);
  let read = "";
  const drain = () => {
    try {
      for (;;) read += bytes.toString("latin1", 0, readSync(descriptor, bytes));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
    }
    return read;
  };
  const whole = /^(x{99}\n)+$/;
  await expect.poll(() => drain().length).toBeGreaterThan(250_000);
  expect(read).toMatch(whole);
  output.line("last");
  await expect.poll(drain).toMatch(/x\nlb: \d{4} lines could not be written\nlast\n$/);
});
