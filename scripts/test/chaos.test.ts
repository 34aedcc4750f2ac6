// A minute of `pnpm chaos`, half of it in each mode, with a seed that is always the same. What it does: docs/chaos.md.
import { test } from "vitest";
import { chaos } from "../chaos/run.ts";

test.concurrent.for(["proxy", "handoff"] as const)("%s mode", { timeout: 120_000 }, async (mode, { expect }) => {
  const report = await chaos({ node: process.execPath, mode, seconds: 30, seed: 11 });
  expect(report.violations, report.folder).toEqual([]);
  // Otherwise nothing was shown.
  expect(report.deaths).toBeGreaterThan(5);
  expect(report.messages).toBeGreaterThan(100);
});
