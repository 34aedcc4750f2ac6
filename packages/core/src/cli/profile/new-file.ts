import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { CliError } from "../cli-error.ts";

/** A file that was not there, which its user alone can read: what it gets may be what the app has in its memory. */
export class NewFile {
  readonly path: string;
  readonly #descriptor: number;
  #bytes = 0;

  /** @throws CliError */
  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, "wx", 0o600);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new CliError(code === "EEXIST" ? `${path} is there already: give another name by --out.` : message, 1);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
    this.#bytes += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  discard(): void {
    closeSync(this.#descriptor);
    rmSync(this.path, { force: true });
  }
}
