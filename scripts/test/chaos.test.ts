// Half a minute of `pnpm chaos` in proxy mode, with a seed that is always the same. What it does, and why not in hand-off mode yet: docs/chaos.md.
import { expect, test } from "vitest";
import { chaos } from "../chaos/run.ts";

test("chaos in proxy mode: the ledger balances", { timeout: 120_000 }, async () => {
  const report = await chaos({ node: process.execPath, mode: "proxy", seconds: 30, seed: 11 });
  expect(report.violations, report.folder).toEqual([]);
  // Otherwise nothing was shown.
  expect(report.deaths).toBeGreaterThan(5);
  expect(report.messages).toBeGreaterThan(100);
});
