import { linkSync, rmSync, unlinkSync } from "node:fs";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { maxSocketPathBytes } from "../model/socket-path.ts";

/** In this process. */
let opened = 0;

/**
 * A Unix socket that a server of ours opens. Whoever closes the server has its file removed by libuv, by the name under which it was
 * opened: that is another name, which is gone at once, so that the file can stay where somebody else goes on accepting.
 */
export class OwnSocket {
  readonly #path: string;
  readonly #first: string;

  constructor(path: string) {
    this.#path = path;
    opened += 1;
    const beside = join(dirname(path), `.${process.pid.toString(36)}-${opened.toString(36)}`);
    // The path itself may be as long as it can be: then nobody can go on there.
    this.#first = Buffer.byteLength(beside) <= maxSocketPathBytes ? beside : path;
  }

  /** It can stay where it is. */
  get canStay(): boolean {
    return this.#first !== this.#path;
  }

  /** The file is made within the call, with these permissions: with a mode set afterwards, others could connect before that. */
  listen(server: Server, { mode, backlog }: { readonly mode: number; readonly backlog?: number }): void {
    const mask = process.umask(0o777 & ~mode);
    try {
      server.listen({ path: this.#first, ...(backlog !== undefined && { backlog }) });
    } finally {
      process.umask(mask);
    }
  }

  /** The server listens: from now on it is found. @throws Error `EADDRINUSE`: something is there already */
  show(): void {
    if (!this.canStay) return;
    try {
      linkSync(this.#first, this.#path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw Object.assign(error as Error, code === "EEXIST" && { code: "EADDRINUSE" });
    } finally {
      unlinkSync(this.#first);
    }
  }
}

/** Of a server that is closed, and in whose place nobody accepts. */
export function removeSocket(path: string): void {
  rmSync(path, { force: true });
}
