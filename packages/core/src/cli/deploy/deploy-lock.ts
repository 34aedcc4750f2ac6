import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Who deploys, as its lock says. */
export interface LockHolder {
  readonly pid: number;
  /** When that process began, in what the system measures it; a number may be another process's by now. */
  readonly began: string | undefined;
  /** The group of the step that it runs, which may outlive it. */
  readonly group?: number;
  readonly deploy: string;
}

export type Locked = { readonly lock: DeployLock } | { readonly holder: LockHolder };

const suffix = ".lock";

/**
 * One deploy at a time. Each has a file of its own, made before it looks for those of others, so that of two at once one sees the other at
 * least; files of those that live no more are removed by whoever sees them, and nobody else ever has that name.
 */
export class DeployLock {
  readonly #path: string;
  #holder: LockHolder;

  private constructor(path: string, holder: LockHolder) {
    this.#path = path;
    this.#holder = holder;
    this.#write();
  }

  static take(directory: string, deploy: string): Locked {
    const path = join(directory, `${process.pid}-${randomBytes(6).toString("hex")}${suffix}`);
    const lock = new DeployLock(path, { pid: process.pid, began: beginOf(process.pid), deploy });
    const [holder] = holdersIn(directory, path);
    if (holder === undefined) return { lock };
    lock.release();
    return { holder };
  }

  /** A step runs in this process group. */
  runs(group: number): void {
    this.#holder = { ...this.#holder, group };
    this.#write();
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }

  #write(): void {
    writeFileSync(this.#path, JSON.stringify(this.#holder), { mode: 0o600 });
  }
}

/** Those that live. The files of the others are removed. `own`: is left out. */
export function holdersIn(directory: string, own?: string): readonly LockHolder[] {
  return names(directory).flatMap((name) => {
    const path = join(directory, name);
    if (!name.endsWith(suffix) || path === own) return [];
    const holder = holderIn(path);
    // One that is being written says nothing yet: its name says who writes it.
    const { pid, began, group } = holder ?? { pid: Number.parseInt(name, 10), began: undefined, group: undefined };
    const lives = isAlive(pid) && (began === undefined || beginOf(pid) === began);
    if (lives || (group !== undefined && isAlive(-group))) return holder ?? { pid, began, deploy: "" };
    rmSync(path, { force: true });
    return [];
  });
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function holderIn(path: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(readFileSync(path, "utf8")) as LockHolder;
    return Number.isInteger(holder.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** In ticks since the machine began, where that can be known. */
function beginOf(pid: number): string | undefined {
  try {
    // Behind the name, which may hold anything, it is the 20th field.
    return readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ")[19];
  } catch {
    return undefined;
  }
}
