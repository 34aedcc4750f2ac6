import { type BigIntStats, read as readFile } from "node:fs";
import { promisify } from "node:util";
import { LbError } from "../model/errors.ts";
import type { OpenFile } from "./file-request.ts";
import { closeQuietly, identityOf, type OpenedFile, statOfOpen } from "./file-system.ts";

const readAt = promisify(readFile) as unknown as (
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ readonly bytesRead: number }>;

/** A descriptor that is closed when the last of those who use it has released it. */
export class SharedFile implements OpenFile {
  changed = false;
  readonly #fd: number;
  readonly #version: string;
  /** Whoever made it is the first. */
  #users = 1;
  #closed = false;

  constructor({ fd, stats }: OpenedFile) {
    this.#fd = fd;
    this.#version = contentVersion(stats);
  }

  retain(): void {
    if (this.#closed) throw new LbError("LB_FILE_CLOSED", "The file was closed.");
    this.#users++;
  }

  /** In a later turn: whoever was just given it can still retain it. */
  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    setImmediate(() => {
      if (this.#users > 0 || this.#closed) return;
      this.#closed = true;
      closeQuietly(this.#fd);
    });
  }

  /** Afterwards it is looked whether the file is still what it was: what was read by then is of that version. */
  async read(buffer: Buffer, position: number, length: number): Promise<number> {
    // Who gives up does not wait for this, and the number of what is closed may be another file's.
    this.retain();
    try {
      const { bytesRead } = await readAt(this.#fd, buffer, 0, length, position);
      if (contentVersion(await statOfOpen(this.#fd)) === this.#version) return bytesRead;
      this.changed = true;
      throw new LbError("LB_FILE_CHANGED", "The file was changed while it was read.");
    } finally {
      this.release();
    }
  }
}

/** A file that is renamed or removed while it is sent is the same one. */
function contentVersion({ size, mtimeNs }: BigIntStats): string {
  return `${size}:${mtimeNs}`;
}

/** All of a file, or undefined if it changed meanwhile. */
export async function readWhole({ fd, stats }: OpenedFile): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafeSlow(Number(stats.size));
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await readAt(fd, bytes, at, bytes.length - at, at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return identityOf(await statOfOpen(fd)) === identityOf(stats) ? bytes : undefined;
}
