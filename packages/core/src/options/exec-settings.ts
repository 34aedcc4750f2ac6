import { OptionError } from "../model/errors.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { type ExecSettings, execSignals, type ParsedExec, refuseUnread } from "./exec-options.ts";

/** What instances run, beside the other options as they were `written`; what only our own agent can do is refused rather than not done. */
export function execSettings(exec: ParsedExec, written: ClusterOptions): ExecSettings {
  const { mode, waitReady, portEnv, stopSignal = "SIGTERM", output = "inherit" } = written;
  if (mode === "handoff") {
    const why = "only an app of Node.js can be handed connections, and with exec the instances are any program";
    throw new OptionError("mode", mode, `${why}: leave it out`);
  }
  if (waitReady === true) {
    throw new OptionError("waitReady", waitReady, "a program has no process.send: leave it out, or say exec.ready");
  }
  if (portEnv === "public") {
    throw new OptionError("portEnv", portEnv, "a program listens where PORT says, which is its own port: leave it out");
  }
  const stop = exec.stop ?? execSignals.find((signal) => signal === stopSignal);
  if (stop === undefined) throw new OptionError("stopSignal", stopSignal, "a program hears signals alone: give one");
  refuseUnread(exec, "exec", output !== "inherit");
  return Object.freeze({ ...exec, stop });
}
