import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { Entry } from "./entry.ts";
import { Lateness } from "./lateness.ts";
import { Ledger } from "./ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "lb-chaos-ledger-"));
const lateness = new Lateness();
afterEach(() => {
  lateness.stop();
  rmSync(folder, { recursive: true });
});

it("knows that a kept connection goes past those that queue for its instance, in hand-off mode", () => {
  const ledger = new Ledger({ folder, mode: "handoff", unread: false, gateway: false, lateness });
  const whole = { kind: "answered", status: 200 } as const;
  const cut = { kind: "cut", detail: "ECONNRESET" } as const;
  const died = (pid: number): void => {
    ledger.happened({ kind: "ready", pid, at: 1 });
    ledger.happened({ kind: "signal", pid, at: 2_000, signal: "SIGKILL" });
    ledger.happened({ kind: "exit", pid, at: 2_010, reason: "crashed", signal: "SIGKILL", exitCode: null });
  };
  const sent = (id: string, fields: Partial<Entry>) =>
    ledger.enter({ id, kind: "get", from: 1_000, to: 2_005, outcome: cut, ...fields });
  died(7);
  sent("queued", {});
  sent("kept", { from: 1_900, to: 1_950, outcome: whole, keptBy: 7 });
  appendFileSync(ledger.journal, "began 7 1940 kept\n");
  ledger.balance();
  expect(ledger.violations).toEqual([]);
  // One that queued behind it was begun.
  sent("behind", { from: 1_800, to: 1_950, outcome: whole });
  appendFileSync(ledger.journal, "began 7 1945 behind\n");
  ledger.balance();
  expect(ledger.violations).toEqual([expect.stringContaining("queued")]);
});
