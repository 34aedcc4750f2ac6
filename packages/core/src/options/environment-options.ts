import * as v from "valibot";
import { type EntriesOf, option } from "./option.ts";

export type Variables = Readonly<Record<string, string>>;

/** Asked at the start and at each reload. `given`: what the files of `envFile` and the primary's environment say together. */
export type VariableSource = (
  given: Readonly<Record<string, string | undefined>>,
) => Variables | undefined | Promise<Variables | undefined>;

/** What stands in the environment of the instances, besides that of the primary. */
export interface EnvironmentOptions {
  /**
   * Added to the environment of the instances. A function is called at the start and at each reload, and its successors get what it
   * returns: `env: async () => ({ TOKEN: await vault.read("token") })`. `PORT`, `HOST`, `INSTANCE_ID`, `INSTANCE_PORT` and
   * `NODE_APP_INSTANCE` are not for you to set.
   */
  readonly env?: Variables | VariableSource;
  /**
   * Files with variables, as for Node's `--env-file`: of several the later win, the primary's environment wins over them, and `env` over
   * that. They are read anew at each reload. `PORT` and `WEB_CONCURRENCY` in them count as if they were in the environment. Default: none.
   */
  readonly envFile?: string | readonly string[];
}

const ownVariables = ["PORT", "HOST", "INSTANCE_ID", "INSTANCE_PORT", "NODE_APP_INSTANCE", "LB_WORKER"];

/** What `env` may be, and what a function there may return. */
export const variablesSchema = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.check((name) => !ownVariables.includes(name), "each instance gets its own; leave it out"),
    ),
    v.string("give a string, as all environment variables are"),
    "give an object of variables and their values, or a function that returns one",
  ),
  v.readonly(),
);

const variableSource = v.custom<VariableSource>((value) => typeof value === "function");

const fileRemedy = 'give the path of a file, e.g. ".env", or a list of them';
const file = v.pipe(v.string(fileRemedy), v.nonEmpty(fileRemedy));

export const envFileSchema = v.pipe(
  v.union([file, v.array(file, fileRemedy)], fileRemedy),
  v.transform((given): readonly string[] => Object.freeze([given].flat())),
) as v.GenericSchema<string | readonly string[], readonly string[]>;

/** The options of {@link EnvironmentOptions}, to be spread into those of a cluster. */
export const environmentEntries = {
  env: option(
    // A union would answer whatever is wrong with a variable by what `env` may be.
    v.lazy((given) => (typeof given === "function" ? variableSource : variablesSchema)) as v.GenericSchema<
      Variables | VariableSource,
      Variables | VariableSource
    >,
    {},
    "added to the instances' environment; a function is called anew at each reload",
    { otherwise: "`{}`" },
  ),
  envFile: option(
    envFileSchema,
    [],
    "files with variables, as for Node's `--env-file`; read anew at each reload: see [operations.md](operations.md#the-environment)",
    {
      otherwise: "none",
      flag: {
        name: "--env-file <file>",
        group: "Cluster",
        help: "variables for the app, read anew at each reload; several with commas, or again",
        fallback: "none",
      },
    },
  ),
} satisfies EntriesOf<EnvironmentOptions>;
