import type { LogEntry, LogLevel } from "./log-entry.ts";

export interface TextStyle {
  readonly timestamps: boolean;
  readonly colours: boolean;
}

const sgr: Readonly<Record<LogLevel, readonly [string, string]>> = {
  info: ["", ""],
  warn: ["\u001b[33m", "\u001b[39m"],
  error: ["\u001b[31m", "\u001b[39m"],
};

/** For people: one line, and the program's own stack below it where there is one. */
export function textLines({ level, message, stack = [] }: LogEntry, at: Date, style: TextStyle): readonly string[] {
  const [on, off] = style.colours ? sgr[level] : ["", ""];
  const label = style.colours ? "\u001b[2mlb:\u001b[22m" : "lb:";
  const time = style.timestamps ? `${at.toISOString()} ` : "";
  return [`${time}${label} ${on}${message}${off}`, ...stack.map((line) => `    ${line}`)];
}

/** For machines: one object, on one line. */
export function jsonLine({ event, level, message, instance, stack, fields }: LogEntry, at: Date): string {
  return JSON.stringify({
    time: at.toISOString(),
    level,
    event,
    ...(instance === undefined ? {} : { instance }),
    message,
    ...fields,
    ...(stack === undefined ? {} : { stack: stack.join("\n") }),
  });
}
