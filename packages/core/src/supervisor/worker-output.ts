import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { OutputLine } from "../model/output-line.ts";
import { OutputHistory } from "./output-history.ts";

/** A longer line comes in pieces of this many characters. */
const maxLineLength = 16_384;

/** Cuts what a process writes into lines. */
export class LineCutter {
  readonly #line: (text: string) => void;
  #partial = "";

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  write(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    for (const line of lines) this.#tell(line.endsWith("\r") ? line.slice(0, -1) : line);
    while (this.#partial.length > maxLineLength) {
      this.#line(this.#partial.slice(0, maxLineLength));
      this.#partial = this.#partial.slice(maxLineLength);
    }
  }

  /** What is left is a line too. */
  end(): void {
    if (this.#partial !== "") this.#tell(this.#partial);
    this.#partial = "";
  }

  #tell(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += maxLineLength) this.#line(line.slice(at, at + maxLineLength));
  }
}

/** What reads what a process writes; `heard` is told of each line as well. */
export interface OutputReader {
  read(
    instance: number,
    process: Pick<ChildProcess, "pid" | "stdout" | "stderr">,
    heard?: (text: string) => void,
  ): void;
}

/** Reads what the workers write, line by line, and keeps the last of it. */
export class WorkerOutput implements OutputReader {
  readonly history: OutputHistory = new OutputHistory();
  readonly #line: (line: OutputLine) => void;
  readonly #streams = new Set<Readable>();
  #held = false;

  constructor(line: (line: OutputLine) => void) {
    this.#line = line;
  }

  read(...[instance, process, heard]: Parameters<OutputReader["read"]>): void {
    this.#readAll({ instance }, process, heard);
  }

  /** Of the program of a backend. */
  ofBackend(backend: string): OutputReader {
    return { read: (instance, process, heard) => this.#readAll({ backend, instance }, process, heard) };
  }

  #readAll(
    who: Pick<OutputLine, "backend" | "instance">,
    { pid = 0, stdout, stderr }: Parameters<OutputReader["read"]>[1],
    heard: (text: string) => void = () => {},
  ): void {
    if (stdout !== null) this.#read(stdout, { ...who, pid, stream: "stdout" }, heard);
    if (stderr !== null) this.#read(stderr, { ...who, pid, stream: "stderr" }, heard);
  }

  /**
   * Reads on, or not: whoever passes the lines on and cannot get rid of them holds the workers back, as a terminal or a
   * pipe of their own would.
   */
  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    for (const stream of this.#streams) {
      if (held) stream.pause();
      else stream.resume();
    }
  }

  #read(stream: Readable, from: Omit<OutputLine, "text">, heard: (text: string) => void): void {
    const lines = new LineCutter((text) => {
      const line = { ...from, text };
      this.history.add(line);
      this.#line(line);
      heard(text);
    });
    this.#streams.add(stream);
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => lines.write(text));
    stream.on("error", () => stream.destroy());
    stream.on("close", () => {
      this.#streams.delete(stream);
      lines.end();
    });
    if (this.#held) stream.pause();
  }
}
