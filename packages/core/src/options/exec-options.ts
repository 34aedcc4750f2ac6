import * as v from "valibot";
import { OptionError } from "../model/errors.ts";
import { type EntriesOf, type OptionFlag, type OptionNotes, option, required } from "./option.ts";
import { oneOf, options, withEntries, yesOrNo } from "./validation.ts";

/** When a program counts as ready, besides that its port takes connections. */
export interface ReadySettings {
  /** It answers a GET of this path with 200 to 399. */
  readonly path?: string | undefined;
  /** It has written a line that holds this text, or that this matches. */
  readonly log?: string | RegExp | undefined;
}

/** Signals by which a program is told to end. */
export const execSignals = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;

/** A program that the instances run, which need not be of Node.js. */
export interface ExecSettings {
  /**
   * What is run. A text is for `/bin/sh`: `"uvicorn app:app --port {port}"`; a list is run as it is, with no shell. `{port}`,
   * `{host}` and `{instance}` (1…N) are filled in; the variables `PORT`, `HOST` and `INSTANCE_ID` say the same.
   */
  readonly command: string | readonly string[];
  /** Where it runs. Default: where lb does. */
  readonly cwd?: string | undefined;
  /** Added to its environment, over the option `env`; `{port}` and the like are filled in here too. Default `{}`. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * When it is ready, besides that its port takes connections: `{ path: "/health" }` if it answers that with 200 to 399,
   * `{ log: "startup complete" }` if it has written such a line, also a regular expression. Default: nothing besides.
   */
  readonly ready: ReadySettings;
  /** What it is told to end by, once its requests are answered. Default: the option `stopSignal`, which is `"SIGTERM"`. */
  readonly stop: (typeof execSignals)[number];
  /**
   * Connections to it are kept for further requests. Default true. `false` for a server that serves one connection at a time, and
   * would wait on one that is idle.
   */
  readonly keepAlive: boolean;
}

/** {@link ExecSettings} as a user writes them: what is left out has the default named there. */
export type ExecOptions = Pick<ExecSettings, "command"> & Partial<Omit<ExecSettings, "command">>;

/** What instances run if it is not this program again. */
export interface ProgramOptions {
  /**
   * Runs any program in place of an app of Node.js: a command, or {@link ExecOptions}. It listens on the port that it is given, and is
   * reached there by HTTP/1.1; see docs/any-program.md. Default: the instances run the app.
   */
  readonly exec?: string | readonly string[] | ExecOptions;
}

const commandRemedy = 'give a command, e.g. "uvicorn app:app --port {port}", or a list of its words';
const word = v.string(commandRemedy);
const command = v.union(
  [
    v.pipe(
      word,
      v.check((text) => text.trim() !== "", commandRemedy),
    ),
    v.pipe(
      v.array(word, commandRemedy),
      v.check(([file = ""]) => file !== "", commandRemedy),
      v.readonly(),
    ),
  ],
  commandRemedy,
);

const textRemedy = "give a text";
const text = v.pipe(v.string(textRemedy), v.nonEmpty(textRemedy));

const ready = options({
  path: option(
    v.pipe(
      v.string('give a path, e.g. "/health"'),
      v.regex(/^\/[\x21-\x7e]*$/, 'give a path that begins with "/" and has no spaces, e.g. "/health"'),
    ),
    undefined,
    "it answers a GET of this with 200 to 399",
    { otherwise: "" },
  ),
  log: option(
    v.union([text, v.instance(RegExp)], "give a text, or a regular expression"),
    undefined,
    "it has written a line that holds this text, or that this expression matches",
    { otherwise: "" },
  ),
} satisfies EntriesOf<ReadySettings>);

const variables = v.pipe(
  v.record(
    v.string(),
    v.string("give a string, as all environment variables are"),
    "give an object of variables and their values",
  ),
  v.readonly(),
);

/** Of the cluster's own each has a flag; of a backend's none could tell which is meant. */
const detailsOf = (flag: (own: OptionFlag) => Pick<OptionNotes, "flag">) =>
  options(
    {
      command: required(
        command,
        "a text for `/bin/sh`, or a list of words; `{port}`, `{host}`, `{instance}` are filled in",
        flag({
          name: "--exec <command>",
          group: "Cluster",
          help: 'a program of any language, e.g. "uvicorn app:app --port {port}"',
          fallback: "none: the entry is run by Node.js",
        }),
      ),
      cwd: option(text, undefined, "where it runs", {
        otherwise: "where lb does",
        ...flag({
          name: "--cwd <path>",
          group: "Cluster",
          help: "where the program of --exec runs",
          fallback: "here",
        }),
      }),
      env: option(variables, {}, "added to its environment, over `env`; `{port}` and the like are filled in", {
        otherwise: "`{}`",
      }),
      ready: option(ready, {}, "when it is ready, besides that its port takes connections", {
        otherwise: "nothing besides",
        ...flag({
          name: "--ready <check>",
          group: "Health and life",
          help: "the program of --exec is ready when it answers /path, or has written log:text",
          fallback: "when its port answers",
        }),
      }),
      stop: option(oneOf(execSignals), undefined, "what it is told to end by", { otherwise: "`stopSignal`" }),
      keepAlive: option(
        yesOrNo(),
        true,
        "`false`: a connection for each request, for servers that serve one at a time",
      ),
    } satisfies EntriesOf<ExecOptions>,
    commandRemedy,
  );

/** What a user may write of it, before `stop` is known. */
export type ParsedExec = Omit<ExecSettings, "stop"> & Partial<Pick<ExecSettings, "stop">>;

/** `option`: where it stands; `isRead`: somebody reads what the instances write. */
export function refuseUnread({ ready: { log } }: ParsedExec, option: string, isRead: boolean): void {
  if (log === undefined || isRead) return;
  throw new OptionError(`${option}.ready.log`, log, 'what it writes is read only with the option "output": give it');
}

/** A command, or all there is to say of it. */
function commandOr(details: ReturnType<typeof detailsOf>) {
  return withEntries(
    v.pipe(
      v.custom<string | readonly string[] | ExecOptions>(() => true),
      v.transform((given): unknown => (typeof given === "string" || Array.isArray(given) ? { command: given } : given)),
      details,
    ) as unknown as v.GenericSchema<string | readonly string[] | ExecOptions, ParsedExec>,
    details,
  );
}

/** Of a backend. */
export const execSchema = commandOr(detailsOf(() => ({})));

/** The options of {@link ProgramOptions}, to be spread into those of a cluster. */
export const programEntries = {
  exec: option(
    commandOr(detailsOf((flag) => ({ flag }))),
    undefined,
    "any program in place of the app: see [any-program.md](any-program.md)",
    {
      otherwise: "the app",
    },
  ),
} satisfies EntriesOf<ProgramOptions>;
