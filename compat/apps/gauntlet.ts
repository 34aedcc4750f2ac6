import { isDeepStrictEqual } from "node:util";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { difference } from "./answers.ts";
import type { Mode } from "./app.ts";
import { type NamedApp, prepare, refresh } from "./installation.ts";
import { type Recording, recordPlain } from "./plain.ts";
import { type Check, tryUnderLb } from "./trial.ts";

/** The public port, and those of the instances behind it. */
const portsOfOne = 12;

/** What became of one program. */
export interface Row {
  readonly name: string;
  /** Why it could not be tried at all, e.g. since it does not run by itself either. */
  readonly unfit: string | undefined;
  readonly trials: Readonly<Partial<Record<Mode, readonly Check[]>>>;
}

export interface GauntletOptions {
  readonly modes: readonly Mode[];
  /** Who share an installation with it. */
  readonly all: readonly NamedApp[];
  readonly watchMs: number;
  /** Installs the newest of what the programs' packages need, and keeps what that was. */
  readonly relock: boolean;
  /** Whether it is first made sure that the program says the same twice when it runs by itself. */
  readonly twice: boolean;
  readonly log: (line: string) => void;
}

export async function runGauntlet(app: NamedApp, options: GauntletOptions): Promise<Row> {
  const { modes, all, watchMs, relock, twice, log } = options;
  const trials: Partial<Record<Mode, readonly Check[]>> = {};
  try {
    prepare(app, all, relock);
    const port = app.fixedPort ?? (await freePorts(portsOfOne));
    const service = await app.service?.(app.folder);
    try {
      const env = service?.env ?? {};
      const recording = await record(app, port, env, twice);
      for (const mode of modes) {
        refresh(app);
        trials[mode] = await tryUnderLb(app, recording, { mode, port, env, watchMs });
        for (const { name, ok, detail } of trials[mode])
          log(`  ${mode.padEnd(8)} ${ok ? "ok  " : "FAIL"} ${name}: ${detail}`);
      }
    } finally {
      await service?.stop();
    }
  } catch (error) {
    log(`  unfit: ${(error as Error).message}`);
    return { name: app.name, unfit: (error as Error).message, trials };
  }
  return { name: app.name, unfit: undefined, trials };
}

async function record(
  app: NamedApp,
  port: number,
  env: Readonly<Record<string, string>>,
  twice: boolean,
): Promise<Recording> {
  refresh(app);
  const recording = await recordPlain(app, port, env);
  if (!twice) return recording;
  refresh(app);
  const again = await recordPlain(app, port, env);
  const found =
    difference(app, recording.answers, again.answers) ??
    (isDeepStrictEqual(recording.conversation, again.conversation) ? undefined : "the conversation differs");
  if (found !== undefined) throw new Error(`it does not say the same twice by itself: ${found}`);
  return recording;
}

/** The checks that failed though nothing says that they may. */
export function unexpected(app: NamedApp, { trials }: Row): readonly string[] {
  return Object.entries(trials).flatMap(([mode, checks]) =>
    checks
      .filter((check) => !check.ok && !isKnown(app, check, mode as Mode))
      .map(({ name, detail }) => `${name} (${mode}): ${detail}`),
  );
}

export function isKnown({ known = [] }: NamedApp, { name }: Check, mode: Mode): boolean {
  return known.some(({ check, modes }) => check === name && modes.includes(mode));
}
