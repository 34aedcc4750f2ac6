// 20 s of `pnpm chaos` in each mode, with a seed that is always the same. What it does: docs/chaos.md.
import { expect, test } from "vitest";
import { chaos } from "../chaos/run.ts";

test.each(["proxy", "handoff"] as const)(
  "chaos in %s mode: the ledger balances",
  { timeout: 120_000 },
  async (mode) => {
    const report = await chaos({ node: process.execPath, mode, edge: "plain", seconds: 20, seed: 11 });
    expect(report.violations, report.folder).toEqual([]);
    // Otherwise nothing was shown.
    expect(report.deaths).toBeGreaterThan(5);
    expect(report.messages).toBeGreaterThan(100);
  },
);
