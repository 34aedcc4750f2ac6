import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeployRecord } from "./deploy-record.ts";

/** So many deploys are kept, with the end of what their steps wrote. */
const maxKept = 50;

/** The deploys of one cluster: a file each, written whole or not at all. */
export class DeployHistory {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, "deploys");
  }

  write(record: DeployRecord): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, `${record.id}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    for (const id of this.#ids.slice(0, -maxKept)) rmSync(join(this.#directory, `${id}.json`), { force: true });
  }

  has(id: string): boolean {
    return this.#ids.includes(id);
  }

  /** The newest first. What cannot be read is left out. */
  get all(): readonly DeployRecord[] {
    return this.#ids.toReversed().flatMap((id) => this.read(id) ?? []);
  }

  /** They never served for good, as far as it is known. */
  get failedReleases(): readonly string[] {
    return this.all.flatMap(({ kind, outcome, release }) =>
      kind === "deploy" && outcome !== "deployed" ? (release ?? []) : [],
    );
  }

  read(id: string): DeployRecord | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#directory, `${id}.json`), "utf8")) as DeployRecord;
    } catch {
      return undefined;
    }
  }

  get #ids(): readonly string[] {
    try {
      return readdirSync(this.#directory)
        .flatMap((name) => /^(.+)\.json$/.exec(name)?.[1] ?? [])
        .sort();
    } catch {
      return [];
    }
  }
}
