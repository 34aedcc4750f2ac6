import * as v from "valibot";
import { type EntriesOf, option, required } from "./option.ts";
import { type ReloadCheckOptions, reloadCheckSchema } from "./reload-check-options.ts";
import { type ReloadOptions, reloadSchema } from "./reload-options.ts";
import { milliseconds, options, wholeNumber, withEntries } from "./validation.ts";

/** What `lb deploy` does; `deploy` in `lb.config.*`. */
export interface DeployOptions {
  /** Run one after the other by `/bin/sh`, where the configuration is, or in the new release. The first that fails is the last. */
  readonly steps?: readonly DeployStepOptions[];
  /** What every new instance has to answer before the old ones are let go. Default: nothing besides what a reload asks. */
  readonly check?: ReloadCheckOptions;
  /** How the instances are replaced: the options of `reload()`. Its `rollback` is `"set"` here if it is not given. */
  readonly reload?: Omit<ReloadOptions, "check" | "signal">;
  /** Run once if a step, the reload or the check fails; all of them, whatever becomes of one. Default: none. */
  readonly onFailure?: readonly DeployStepOptions[];
  /** What `lb rollback` runs where there are no release directories: it gets the code of the deploy before back. Default: none. */
  readonly rollback?: readonly DeployStepOptions[];
  /** Each deploy in a directory of its own. Default: the steps change what is where the configuration is. */
  readonly releases?: DeployReleaseOptions;
}

export interface DeployStepOptions {
  /** For `/bin/sh`. */
  readonly run: string;
  /** What it is called in progress and history. Default: what is run. */
  readonly name?: string;
  /** After so long it is ended, with all that it has started, and has failed; in milliseconds. Default 900,000. */
  readonly timeoutMs?: number;
  /** Added to its environment. Default `{}`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Directories as Capistrano has them: `releases/<id>`, `shared`, and the link `current`. */
export interface DeployReleaseOptions {
  /** Where they are. Default: where the configuration is. */
  readonly dir?: string;
  /** So many stay, the running one and the one before it in any case. Default 5. */
  readonly keep?: number;
  /**
   * Paths that all releases have in common, linked into each from `shared` once the first step is done: `[".env", "uploads/"]`.
   * One that ends with `/` is a directory, and made if it is not there. Default: none.
   */
  readonly shared?: readonly string[];
}

const textRemedy = "give a text";
const text = v.pipe(v.string(textRemedy), v.nonEmpty(textRemedy));

const step = options(
  {
    run: required(
      v.pipe(
        v.string("give a command, as for a shell"),
        v.check((command) => command.trim() !== "", "give a command, as for a shell"),
      ),
      "for `/bin/sh`",
    ),
    name: option(text, undefined, "what it is called in progress and history", { otherwise: "what is run" }),
    timeoutMs: option(milliseconds(1), 900_000, "after so long it is ended, with all that it has started"),
    env: option(
      v.pipe(v.record(v.string(), v.string("give a string, as all environment variables are")), v.readonly()),
      {},
      "added to its environment",
      { otherwise: "`{}`" },
    ),
  } satisfies EntriesOf<DeployStepOptions>,
  'give { run: "…" }',
);

const steps = withEntries(v.pipe(v.array(step, 'give a list of steps: [{ run: "npm ci" }]'), v.readonly()), step);

const sharedRemedy = 'give paths within a release, e.g. ".env" or "uploads/"';
const sharedPath = v.pipe(
  v.string(sharedRemedy),
  v.nonEmpty(sharedRemedy),
  v.check((path) => !/^\/|^\.?\/*$|(^|\/)\.\.(\/|$)/.test(path), sharedRemedy),
);

const releases = options({
  dir: option(text, undefined, "where they are", { otherwise: "where the configuration is" }),
  keep: option(wholeNumber(1, 1_000), 5, "so many stay, the running one and the one before it in any case"),
  shared: option(
    v.pipe(v.array(sharedPath, sharedRemedy), v.readonly()),
    [],
    "paths that all have in common, linked from `shared` once the first step is done; with `/` at the end a directory",
    { otherwise: "none" },
  ),
} satisfies EntriesOf<DeployReleaseOptions>);

const { check: _, signal: __, ...reloadEntries } = reloadSchema.entries;

export const deploySchema = options({
  steps: option(steps, [], "run one after the other by `/bin/sh`; the first that fails is the last", {
    otherwise: "none",
  }),
  check: option(reloadCheckSchema, undefined, "what every new instance has to answer before the old ones are let go", {
    otherwise: "nothing besides",
  }),
  reload: option(
    options({ ...reloadEntries }),
    {},
    'how instances are replaced: [options of a reload](operations.md#a-reload-step-by-step); `rollback` is `"set"` here',
    { otherwise: '`{ rollback: "set" }`' },
  ),
  onFailure: option(steps, [], "run once if a step, the reload or the check fails", { otherwise: "none" }),
  rollback: option(steps, [], "what `lb rollback` runs where there are no release directories", { otherwise: "none" }),
  releases: option(releases, undefined, "each deploy in a directory of its own", { otherwise: "in place" }),
});

/** {@link DeployOptions}, checked and completed. */
export type DeploySettings = v.InferOutput<typeof deploySchema>;
export type StepSettings = DeploySettings["steps"][number];
