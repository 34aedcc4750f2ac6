import type { Clock, WallClock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { FileSettings } from "../options/file-options.ts";
import { answerFound, notHere, redirect, refused, unavailable } from "./answers.ts";
import type { Coding } from "./content-coding.ts";
import { filePath } from "./file-path.ts";
import type { FileAnswer, FileRequest } from "./file-request.ts";
import { believedMs, FileTable } from "./file-table.ts";
import { type RequestWish, wishOf } from "./request-wish.ts";
import { type Resolution, resolve } from "./resolution.ts";
import { Shelf } from "./shelf.ts";

export interface FileServerOptions {
  readonly settings: FileSettings;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
}

/** Answers by path that are given again without looking for them. */
const maxQuick = 1_024;

interface QuickAnswer {
  readonly codings: readonly Coding[];
  readonly answer: FileAnswer;
  /** Until then all that it was made of is believed. */
  readonly untilMs: number;
}

/** Answers requests with the files of a directory. */
export class FileServer {
  readonly #options: FileServerOptions;
  readonly #table: FileTable;
  readonly #quick: Shelf<QuickAnswer>;

  constructor(options: FileServerOptions) {
    const { settings, clock, wallClock } = options;
    this.#options = options;
    // Each may hold what the other has let go.
    const quickBytes = settings.cacheBytes / 4;
    this.#table = new FileTable({ root: settings.root, maxBytes: settings.cacheBytes - quickBytes, clock, wallClock });
    this.#quick = new Shelf({ maxCount: maxQuick, maxWeight: quickBytes });
  }

  /** The answer, if all it takes is known: nothing is waited for. `path`: what is left of the target's under the root, as it was sent. */
  known(request: FileRequest, path: string): FileAnswer | undefined {
    const wish = wishOf(request);
    const quick = request.method === "GET" && !wish.particular ? this.#quick.get(path) : undefined;
    if (quick?.codings === wish.codings && quick.untilMs > this.#options.clock.now()) return quick.answer;
    if (!isRead(request.method)) return refused;
    // The root by its name, as `/static` of a route that takes that off: what is in it is below `/static/`.
    if (path === "") return redirect(request.target);
    const steps = resolve(filePath(path, this.#options.settings.dotfiles), wish, this.#options.settings);
    let untilMs = Number.POSITIVE_INFINITY;
    for (let step = steps.next(); ; ) {
      if (step.done === true) {
        const answer = this.#answer(request, step.value);
        if (request.method === "GET" && isForAll(step.value, wish))
          this.#quick.put(path, { codings: wish.codings, answer, untilMs }, answer.length ?? 0);
        return answer;
      }
      const look = this.#table.known(step.value);
      if (look === undefined) return undefined;
      untilMs = Math.min(untilMs, look.atMs + believedMs);
      step = steps.next(look.known);
    }
  }

  /** The answer, if need be from the disk. Files in it have to be retained in the turn in which this resolves. */
  async answer(request: FileRequest, path: string): Promise<FileAnswer> {
    if (!isRead(request.method)) return refused;
    if (path === "") return redirect(request.target);
    const steps = resolve(filePath(path, this.#options.settings.dotfiles), wishOf(request), this.#options.settings);
    try {
      for (let step = steps.next(); ; ) {
        if (step.done === true) return this.#answer(request, step.value);
        const look = this.#table.known(step.value) ?? (await this.#table.look(step.value));
        step = steps.next(look.known);
      }
    } catch {
      // The machine has no descriptor left, or its disk fails: what it says of that is nothing for clients.
      return unavailable;
    }
  }

  close(): void {
    this.#quick.removeOldest(() => true);
    this.#table.close();
  }

  #answer(request: FileRequest, resolution: Resolution): FileAnswer {
    const { settings, wallClock, random } = this.#options;
    switch (resolution.kind) {
      case "file":
        return answerFound(request, resolution, { rules: settings.cacheRules, nowMs: wallClock(), random });
      case "redirect":
        return redirect(request.target);
      case "none":
        return notHere(request.method);
      default:
        return resolution satisfies never;
    }
  }
}

/** There is nothing that would answer the request. */
export function isAbsent({ status }: FileAnswer): boolean {
  return status === 404;
}

export function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** Everybody who takes the same codings and wants nothing in particular gets this: a file in memory, whoever asks. */
function isForAll(resolution: Resolution, { particular }: RequestWish): boolean {
  return (
    !particular &&
    resolution.kind === "file" &&
    resolution.status === 200 &&
    !resolution.forPages &&
    Buffer.isBuffer(resolution.file.content)
  );
}
