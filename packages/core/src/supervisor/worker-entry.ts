import { LbError } from "../model/errors.ts";

/** How the primary was started, as far as a worker must be started in the same way. */
export interface ProcessStart {
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  readonly cwd: string;
  readonly nodeOptions: string | undefined;
}

/** What `child_process.fork` is called with. */
export interface WorkerEntry {
  /** A file of ours that runs it, and gets it as its first argument. Absent: it is run itself. */
  readonly by?: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly execArgv: readonly string[];
  readonly cwd: string;
}

/** A debugger may stop such a worker for as long as it likes. */
export function isInspected({ execArgv }: WorkerEntry): boolean {
  return execArgv.some((argument) => inspects.test(argument)) || /--inspect/.test(process.env["NODE_OPTIONS"] ?? "");
}

const evaluates = /^(-e|-p|-pe|-i|--eval|--print|--interactive)(=|$)/;
const inspects = /^--(inspect|debug)(-port|-brk|-wait)?(=|$)/;
const waitsForInspector = /^--inspect-(brk|wait)(?==|$)/;

/**
 * The same file, arguments and Node options as the primary's. An inspector is kept but moved to a port that the system
 * chooses (each worker prints its own): on the primary's port the worker could not even start. A primary that waits for
 * its debugger (`--inspect-brk`) does not make its workers wait, since nobody would be there to release them in time.
 *
 * @throws LbError `LB_NO_ENTRY` when there is no file to run again: `node -e`, a script on standard input, the REPL.
 */
export function workerEntry({ argv, execArgv, cwd, nodeOptions }: ProcessStart): WorkerEntry {
  const file = argv[1];
  if (file === undefined || file === "-" || execArgv.some((argument) => evaluates.test(argument))) {
    throw new LbError(
      "LB_NO_ENTRY",
      "cluster() starts each worker by running the program's file again, and this program has none " +
        "(node -e, a script on standard input, or the REPL). Put it into a file and run that.",
    );
  }
  const inspected = execArgv.some((argument) => inspects.test(argument)) || /--inspect/.test(nodeOptions ?? "");
  return {
    file,
    args: argv.slice(2),
    execArgv: inspected
      ? [...execArgv.map((argument) => argument.replace(waitsForInspector, "--inspect")), "--inspect-port=0"]
      : [...execArgv],
    cwd,
  };
}
