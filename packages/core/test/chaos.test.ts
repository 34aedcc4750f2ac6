// `pnpm chaos` for moments only, on what is built: a fault at random every half second, all kinds of clients, the ledger.
import { execPath } from "node:process";
import { expect, test } from "vitest";
import { chaos } from "../../../scripts/chaos/run.ts";

test.each([
  { mode: "proxy", seed: 7 },
  { mode: "handoff", seed: 8 },
] as const)(
  "chaos: whatever happens, the ledger balances ($mode)",
  async ({ mode, seed }) => {
    const { violations, ledger, folder } = await chaos({ node: execPath, mode, seconds: 12, seed });
    expect(violations, `see ${folder}/events.log`).toEqual([]);
    expect(ledger.entries.length).toBeGreaterThan(500);
  },
  150_000,
);
