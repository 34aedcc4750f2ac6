import { OptionError } from "../model/errors.ts";
import type { AutoscaleTarget } from "./autoscale-options.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { type ExecSettings, execSignals, type ParsedExec, refuseUnread } from "./exec-options.ts";

/** A program's event loop, if it has one, is not known; its processors are. */
export const execTarget: AutoscaleTarget = Object.freeze({ metric: "cpu", value: 0.6 });

/** What instances run, beside the other options as they were `written`; what only our own agent can do is refused rather than not done. */
export function execSettings(exec: ParsedExec, written: ClusterOptions): ExecSettings {
  const { mode, waitReady, portEnv, stopSignal = "SIGTERM", autoscale, output = "inherit" } = written;
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
  const target = autoscale?.target;
  if (target !== undefined && "eventLoopUtilization" in target && target.eventLoopUtilization !== undefined) {
    const remedy = "of a program only the processors and the requests are known: give cpu or inFlight";
    throw new OptionError("autoscale.target", target, remedy);
  }
  const stop = exec.stop ?? execSignals.find((signal) => signal === stopSignal);
  if (stop === undefined) throw new OptionError("stopSignal", stopSignal, "a program hears signals alone: give one");
  refuseUnread(exec, "exec", output !== "inherit");
  return Object.freeze({ ...exec, stop });
}
