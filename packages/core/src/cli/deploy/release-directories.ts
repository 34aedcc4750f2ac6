import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { CliError } from "../cli-error.ts";

interface Pruning {
  readonly keep: number;
  readonly needed: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
}

/** Capistrano's layout: `releases/<id>`, `shared`, and `current`, a link to one of the releases. */
export class ReleaseDirectories {
  readonly dir: string;
  readonly #shared: readonly string[];

  constructor(dir: string, shared: readonly string[]) {
    this.dir = dir;
    this.#shared = shared;
  }

  pathOf(id: string): string {
    return join(this.dir, "releases", id);
  }

  get #link(): string {
    return join(this.dir, "current");
  }

  /** By age. */
  get ids(): readonly string[] {
    try {
      return readdirSync(join(this.dir, "releases"), { withFileTypes: true })
        .flatMap((entry) => (entry.isDirectory() ? entry.name : []))
        .sort();
    } catch {
      return [];
    }
  }

  /** Where `current` leads; undefined: it is not there yet. @throws CliError if it is no link, or leads elsewhere */
  get current(): string | undefined {
    const stats = lstatSync(this.#link, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (!stats.isSymbolicLink())
      throw new CliError(`${this.#link} is no link, so it cannot lead to a release. Move it away.`, 2);
    const target = resolve(this.dir, readlinkSync(this.#link));
    if (dirname(target) === join(this.dir, "releases")) return basename(target);
    throw new CliError(`${this.#link} leads to ${target}, which is no release in ${join(this.dir, "releases")}.`, 2);
  }

  /** Before anything is done: what all releases share has to be there. @throws CliError */
  checkShared(): void {
    for (const path of this.#shared) {
      const at = join(this.dir, "shared", path);
      if (path.endsWith("/")) mkdirSync(at, { recursive: true });
      else if (!existsSync(at)) throw new CliError(`${at} is not there, which all releases are to share: make it.`, 2);
    }
  }

  make(id: string): void {
    mkdirSync(this.pathOf(id), { recursive: true });
  }

  /** What the release has there itself makes way. */
  linkShared(id: string): void {
    for (const path of this.#shared) {
      const within = path.replace(/\/+$/, "");
      const link = join(this.pathOf(id), within);
      const target = relative(dirname(link), join(this.dir, "shared", within));
      rmSync(link, { recursive: true, force: true });
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(target, link);
    }
  }

  /** At no moment is there no `current`. */
  lead(id: string): void {
    const next = join(this.dir, `.current.${process.pid}`);
    rmSync(next, { force: true });
    symlinkSync(join("releases", id), next);
    renameSync(next, this.#link);
  }

  remove(id: string): void {
    rmSync(this.pathOf(id), { recursive: true, force: true });
  }

  /** The oldest go, and those that failed, but for those that are needed. Returns those that went. */
  prune({ keep, needed, failed }: Pruning): readonly string[] {
    const good = this.ids.filter((id) => !failed.has(id));
    const kept = new Set([...good.slice(-keep), ...needed]);
    const gone = this.ids.filter((id) => !kept.has(id));
    for (const id of gone) this.remove(id);
    return gone;
  }

  /** The release that this path lies in, if it does. */
  holding(path: string): string | undefined {
    try {
      const within = relative(realpathSync(join(this.dir, "releases")), realpathSync(path));
      return within.startsWith("..") || within === "" ? undefined : within.split("/")[0];
    } catch {
      return undefined;
    }
  }
}
