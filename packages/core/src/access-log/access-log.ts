import { resolve } from "node:path";
import type { AccessRecord } from "../model/access-record.ts";
import type { Clock, WallClock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { AccessLogSettings } from "../options/access-log-options.ts";
import { combinedLine } from "./combined-line.ts";
import { FileRotation } from "./file-rotation.ts";
import { JsonLine } from "./json-line.ts";
import { LineFile } from "./line-file.ts";

/** How it is with an access log. Plain JSON. */
export interface AccessLogStatus {
  /** Where it is; `null`: in no file of its own. */
  readonly file: string | null;
  readonly format: "json" | "combined" | "own";
  /** Lines, since the cluster began. */
  readonly written: number;
  /** There was no room for them, or their formats and receivers have thrown. */
  readonly dropped: number;
  /** To be written. */
  readonly waiting: number;
  /** Why nothing can be written, or the file not be put aside, now; `null`: it can. */
  readonly error: string | null;
}

/** Lines of several requests, without the end of the last, and how many there was no room for. */
export interface ToldLines {
  readonly text: string;
  readonly dropped: number;
}

export interface AccessLogParts {
  readonly settings: AccessLogSettings;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  /** Lines were lost. */
  readonly dropped: (lines: number, error: Error | undefined) => void;
}

const standardOutput = 1;

/** Makes lines of records as the settings say, and brings them where they say. Never throws. */
export class AccessLog {
  readonly #settings: AccessLogSettings;
  readonly #format: (record: AccessRecord) => string;
  /** Writes lines of JSON where they wait. */
  readonly #json: JsonLine | undefined;
  readonly #file: LineFile | undefined;
  readonly #dropped: AccessLogParts["dropped"];
  /** By a function, which has no file. */
  #given = 0;
  #lost = 0;

  constructor({ settings, clock, wallClock, dropped }: AccessLogParts) {
    const { to } = settings;
    this.#settings = settings;
    this.#dropped = dropped;
    this.#json = settings.format === "json" ? new JsonLine(settings.fields) : undefined;
    this.#format = formatOf(settings, this.#json);
    if (typeof to !== "function") {
      const rotation =
        settings.rotate === false || to === "stdout"
          ? undefined
          : new FileRotation({ path: to, settings: settings.rotate, clock, wallClock });
      this.#file = new LineFile({ to: to === "stdout" ? standardOutput : to, clock, dropped, rotation });
    }
  }

  get status(): AccessLogStatus {
    const { format, to } = this.#settings;
    const { written = 0, dropped = 0, waiting = 0, error = undefined } = this.#file?.status ?? {};
    return {
      file: typeof to === "function" || to === "stdout" ? null : resolve(to),
      format: typeof format === "function" ? "own" : format,
      written: written + this.#given,
      dropped: dropped + this.#lost,
      waiting,
      error: error?.message ?? null,
    };
  }

  /** @throws LbError `LB_ACCESS_LOG`: the file cannot be opened */
  async open(): Promise<void> {
    try {
      await this.#file?.open();
    } catch (cause) {
      const why = `The access log ${String(this.#settings.to)} cannot be written (${(cause as Error).message})`;
      const remedy = "Make its directory, or let this user write there, or change the option accessLog.";
      throw new LbError("LB_ACCESS_LOG", `${why}. ${remedy}`, { cause });
    }
  }

  add(record: AccessRecord): void {
    if (this.#json !== undefined && this.#file !== undefined) {
      this.#file.addWritten(this.#json, record);
      return;
    }
    let line: string;
    try {
      line = this.#format(record);
    } catch (error) {
      this.#lose(error);
      return;
    }
    this.#write(line);
  }

  /** What workers have made: lines of the format that they were told. A function gets records in place of them. */
  addLines({ text, dropped }: ToldLines): void {
    if (dropped > 0) {
      this.#lost += dropped;
      this.#dropped(dropped, undefined);
    }
    if (text === "") return;
    const { format, to } = this.#settings;
    if (typeof format !== "function" && typeof to !== "function") {
      this.#file!.add(text, text.split("\n").length);
      return;
    }
    for (const line of text.split("\n")) {
      if (typeof format === "function") this.#addTold(line);
      else this.#write(line);
    }
  }

  #addTold(line: string): void {
    try {
      const record = JSON.parse(line) as AccessRecord & { readonly time: string | number };
      this.add({ ...record, time: Date.parse(String(record.time)) });
    } catch (error) {
      this.#lose(error);
    }
  }

  /** The file is another one from now on, if there is one. */
  reopen(): void {
    this.#file?.reopen();
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #write(line: string): void {
    const { to } = this.#settings;
    if (typeof to !== "function") {
      this.#file!.add(line);
      return;
    }
    try {
      to(line);
      this.#given += 1;
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    this.#lost += 1;
    this.#dropped(1, error instanceof Error ? error : new Error(String(error)));
  }
}

/** What a function makes is one line, whatever it makes. */
function formatOf({ format }: AccessLogSettings, json: JsonLine | undefined): (record: AccessRecord) => string {
  if (format === "json") return (record) => json!.text(record);
  if (format === "combined") return combinedLine;
  return (record) => String(format(record)).replaceAll(/[\r\n]+/g, " ");
}
