import type { Command } from "commander";
import { showsColours } from "../../cluster/open-log.ts";
import { systemClock } from "../../model/clock.ts";
import { milliseconds } from "../flag-values.ts";
import { about, findTarget, type Target } from "../targets.ts";
import { charsetOf } from "./charset.ts";
import { monit } from "./monit.ts";
import { plainLines, snapshot } from "./plain.ts";

/** `lb monit`. */
export function addMonitCommand(program: Command): void {
  about(program.command("monit"))
    .description("show a cluster live, and operate it by keys")
    .option("--interval <time>", "a line each so often instead, until interrupted", milliseconds)
    .action(async ({ interval, ...target }: Target & { interval?: number }) => {
      const address = await findTarget(target);
      const find = (name: string) => findTarget({ name });
      if (interval !== undefined) {
        await plainLines({ address, find, intervalMs: interval, clock: systemClock });
        return;
      }
      const { env, stdout } = process;
      if (!stdout.isTTY || env["TERM"] === "dumb") {
        await snapshot(address, charsetOf(env));
        return;
      }
      const look = { colours: showsColours(stdout) };
      const signal = await monit({ address, find, clock: systemClock, look, charset: charsetOf(env) });
      // As if nobody had listened for it: whoever started this is told by what it ended.
      if (signal !== undefined) process.kill(process.pid, signal);
      // Connections that are being closed are nobody's any more.
      process.stdin.unref?.();
    });
}
