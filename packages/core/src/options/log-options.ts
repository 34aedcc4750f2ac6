import * as v from "valibot";
import type { LogEntry } from "../log/log-entry.ts";
import { option } from "./option.ts";
import { oneOf, options, withEntries, yesOrNo } from "./validation.ts";

/** How the events of a cluster are told; see {@link ClusterOptions.log}. */
export type LogOption =
  | "text"
  | "json"
  | false
  | ((entry: LogEntry) => void)
  | { readonly format?: "text" | "json"; readonly timestamps?: boolean };

export interface LogFormat {
  readonly format: "text" | "json";
  readonly timestamps: boolean;
}

export type LogSettings = LogFormat | { readonly write: (entry: LogEntry) => void };

const remedy = 'give "text", "json", false, a function that takes the entries, or { format, timestamps }';

const styled = options({
  format: option(oneOf(["text", "json"]), "text", "for people, or for machines", {
    flag: {
      name: "--log <format>",
      group: "Output",
      help: "what becomes of the cluster, on standard error",
      choices: ["text", "json", "off"],
    },
  }),
  timestamps: option(yesOrNo(), false, "the time before each line", {
    flag: { name: "--timestamps", group: "Output" },
  }),
});

const anyLog = v.lazy((input): v.GenericSchema<LogOption, LogSettings | undefined> => {
  if (input === false)
    return v.pipe(
      v.literal(false),
      v.transform(() => undefined),
    ) as never;
  if (typeof input === "function") {
    const write = input as (entry: LogEntry) => void;
    return v.pipe(
      v.any(),
      v.transform(() => ({ write })),
    ) as never;
  }
  if (typeof input === "object" && input !== null) return styled as never;
  return v.pipe(
    v.picklist(["text", "json"], remedy),
    v.transform((format) => ({ format, timestamps: false })),
  ) as never;
});

export const logSchema = withEntries(anyLog, styled);
