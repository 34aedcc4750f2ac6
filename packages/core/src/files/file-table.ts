import type { Clock, Timer, WallClock } from "../model/clock.ts";
import type { OpenFile } from "./file-request.ts";
import { closeQuietly, identityOf, isAbsence, type OpenedFile, openInside, statOf } from "./file-system.ts";
import type { Known, KnownFile } from "./known-file.ts";
import { readWhole, SharedFile } from "./shared-file.ts";
import { Shelf } from "./shelf.ts";
import { areSettled, validatorsOf } from "./validators.ts";

export interface FileTableOptions {
  readonly root: string;
  /** Of contents that are kept in memory. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly wallClock: WallClock;
}

/** For how long what is known of a name is believed without looking again. */
export const believedMs = 1_000;
/** Larger contents stay on the disk, of which the system keeps in memory what is asked for. */
export const maxContentBytes = 1_048_576;
/** What a name costs besides its content, at least: many empty files are not nothing. */
const nameBytes = 1_024;
const maxContents = 4_096;
const maxDescriptors = 128;
/** Anybody can ask for names that are not there, without end. */
const maxOthers = 2_048;
/** A descriptor that nobody asks for is closed: it keeps what was deleted on the disk. */
const maxIdleMs = 10_000;
/** A file that is written while it is read is read again, so often. */
const maxReads = 3;

export interface Look {
  readonly known: Known;
  readonly atMs: number;
  /** It was changed so shortly before that it could have changed again since, and look the same. */
  readonly settled: boolean;
}

/**
 * What is known of names below a root, within bounds. A file's content is read once and kept while the file is the same, which is looked at
 * once a second if somebody asks: so those looked at longest ago, which make room first, are those asked for longest ago.
 */
export class FileTable {
  readonly #options: FileTableOptions;
  readonly #contents: Shelf<Look>;
  readonly #descriptors: Shelf<Look>;
  readonly #others = new Shelf<Look>({ maxCount: maxOthers, maxWeight: Number.POSITIVE_INFINITY });
  readonly #looking = new Map<string, Promise<Look>>();
  #sweep: Timer | undefined;
  #closed = false;

  constructor(options: FileTableOptions) {
    this.#options = options;
    this.#contents = new Shelf({ maxCount: maxContents, maxWeight: options.maxBytes });
    const limits = { maxCount: maxDescriptors, maxWeight: Number.POSITIVE_INFINITY };
    this.#descriptors = new Shelf(limits, ({ known }) => openFileOf(known)?.release());
  }

  /** Without looking. Undefined: it takes a {@link look}. */
  known(name: string): Look | undefined {
    const last = this.#last(name);
    if (last === undefined || last.atMs + believedMs <= this.#options.clock.now()) return undefined;
    return openFileOf(last.known)?.changed === true ? undefined : last;
  }

  /**
   * Looks. Several at a time for the same name are one. An open file has to be retained in the turn in which this resolves. Rejects where the
   * machine fails, not where there is nothing.
   */
  look(name: string): Promise<Look> {
    let looking = this.#looking.get(name);
    if (looking === undefined) {
      looking = this.#look(name).finally(() => this.#looking.delete(name));
      this.#looking.set(name, looking);
    }
    return looking;
  }

  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    this.#contents.removeOldest(() => true);
    this.#descriptors.removeOldest(() => true);
  }

  #last(name: string): Look | undefined {
    return this.#contents.get(name) ?? this.#descriptors.get(name) ?? this.#others.get(name);
  }

  async #look(name: string): Promise<Look> {
    const { root, clock } = this.#options;
    const path = name === "" ? root : `${root}/${name}`;
    const last = this.#last(name);
    if (
      last?.known.kind === "file" &&
      last.settled &&
      openFileOf(last.known)?.changed !== true &&
      (await isStill(path, last.known))
    ) {
      // It may have been dropped meanwhile, and its descriptor with it.
      if (this.#last(name) === last) {
        return this.#keep(name, { ...last, atMs: clock.now() });
      }
    }
    for (let reads = 1; ; reads++) {
      const opened = await openInside(root, path);
      if (opened.kind !== "file") return this.#keep(name, { known: opened, atMs: clock.now(), settled: true });
      const file = await this.#fileOf(opened, reads < maxReads);
      if (file === undefined) continue;
      const settled = areSettled(opened.stats.mtimeNs, this.#options.wallClock());
      return this.#keep(name, { known: file, atMs: clock.now(), settled });
    }
  }

  /** Undefined: it is being written, and may be looked at again. */
  async #fileOf(opened: OpenedFile, mayRetry: boolean): Promise<KnownFile | undefined> {
    const { maxBytes, wallClock } = this.#options;
    const { mtimeNs, size } = opened.stats;
    const validators = validatorsOf(mtimeNs, Number(size), wallClock());
    const file = { kind: "file", size: Number(size), identity: identityOf(opened.stats), ...validators } as const;
    if (size > Math.min(maxContentBytes, maxBytes)) return { ...file, content: new SharedFile(opened) };
    let content: Buffer | undefined;
    try {
      content = await readWhole(opened);
    } catch (error) {
      closeQuietly(opened.fd);
      throw error;
    }
    if (content === undefined && !mayRetry) return { ...file, content: new SharedFile(opened) };
    closeQuietly(opened.fd);
    return content && { ...file, content };
  }

  #keep(name: string, look: Look): Look {
    const { known } = look;
    const file = openFileOf(known);
    // So that it outlives its removal from where it was.
    file?.retain();
    const before = openFileOf(this.#last(name)?.known);
    for (const shelf of [this.#contents, this.#descriptors, this.#others]) shelf.remove(name);
    // Whoever has just opened it hands its use over.
    if (file !== undefined && file !== before) file.release();
    if (this.#closed) file?.release();
    else if (file !== undefined) {
      this.#descriptors.put(name, look, 1);
      this.#sweepLater();
    } else if (known.kind === "file") this.#contents.put(name, look, known.size + nameBytes);
    else this.#others.put(name, look, 1);
    return look;
  }

  #sweepLater(): void {
    const { clock } = this.#options;
    this.#sweep ??= clock.after(maxIdleMs, () => {
      this.#sweep = undefined;
      const due = clock.now() - maxIdleMs;
      this.#descriptors.removeOldest(({ atMs }) => atMs <= due);
      if (this.#descriptors.size > 0) this.#sweepLater();
    });
  }
}

async function isStill(path: string, { identity }: KnownFile): Promise<boolean> {
  try {
    return identityOf(await statOf(path)) === identity;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

function openFileOf(known: Known | undefined): OpenFile | undefined {
  return known?.kind !== "file" || Buffer.isBuffer(known.content) ? undefined : known.content;
}
