import { describe, expect, test } from "vitest";
import { runGauntlet, unexpected } from "../apps/gauntlet.ts";
import { programs } from "../apps/programs.ts";

// Installs the first time, and each program starts five processes: nothing here is to be fast on a busy machine.
const timeoutMs = 120_000;

const apps = await programs({ quick: true });

describe("programs from npm, unmodified, under lb start", () => {
  test.each(apps.map((app) => [app.title, app.quick!, app] as const))(
    "%s, %s mode",
    async (_title, mode, app) => {
      const row = await runGauntlet(app, {
        modes: [mode],
        all: apps,
        watchMs: 100,
        relock: false,
        twice: false,
        log() {},
      });
      expect(row.unfit).toBeUndefined();
      expect(unexpected(app, row)).toEqual([]);
    },
    timeoutMs,
  );
});
