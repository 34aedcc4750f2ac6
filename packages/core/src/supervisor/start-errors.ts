import type { WorkerFailure } from "../ipc/messages.ts";
import { StartError } from "../model/start-error.ts";
import { span } from "./why-not-ready.ts";

/** The worker's own account of its failure, with the stack of the error as it was over there. */
export function reportedFailure(instance: number, { code, message, stack }: WorkerFailure): StartError {
  if (stack === undefined) return new StartError(instance, code, message);
  const cause = new Error(message);
  cause.stack = stack;
  return new StartError(instance, code, message, cause);
}

export interface StartTimeout {
  readonly instance: number;
  readonly startTimeoutMs: number;
  /** What is known of it: the middle of a sentence. */
  readonly why: string;
}

/** `LB_START_TIMEOUT`. */
export function startTimeout({ instance, startTimeoutMs, why }: StartTimeout): StartError {
  return new StartError(
    instance,
    "LB_START_TIMEOUT",
    `Instance ${instance} was not ready within ${span(startTimeoutMs)}: ${why}. ` +
      'If it needs longer, raise the option "startTimeoutMs".',
  );
}

export interface CrashLoop {
  readonly instance: number;
  readonly deaths: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The process could not be made at all. */
  readonly spawnError: Error | undefined;
  readonly advice?: string;
}

/** `LB_CRASH_LOOP`. */
export function crashLoop({ instance, deaths, exitCode, signal, spawnError, advice }: CrashLoop): StartError {
  const last =
    spawnError !== undefined
      ? `could not be started (${spawnError.message})`
      : `ended ${signal === null ? `with exit code ${exitCode}` : `by ${signal}`}`;
  return new StartError(
    instance,
    "LB_CRASH_LOOP",
    `Instance ${instance} died ${deaths} times before it was ready; the last process ${last}. ` +
      (advice ?? "Its own output, above, says why."),
    spawnError,
  );
}
