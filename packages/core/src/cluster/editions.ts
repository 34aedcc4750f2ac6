import { realpathSync } from "node:fs";
import type { Variables } from "../options/environment-options.ts";
import type { Edition } from "../supervisor/edition.ts";

/** Where a program is, by way of whatever links lead there. */
export interface ProgramPlace {
  readonly cwd: string;
  /** Of an app: the file that is run. */
  readonly file?: string;
}

/** What the workers of one group are started as. */
export class Editions {
  readonly #place: ProgramPlace;
  readonly #own: (shared: Variables) => Variables;
  #current: Edition;

  /** `own`: what the group makes of the variables that are for all. */
  constructor(
    place: ProgramPlace,
    { env, own }: { readonly env: Variables; readonly own: (shared: Variables) => Variables },
  ) {
    this.#place = place;
    this.#own = own;
    this.#current = this.next(env);
  }

  get current(): Edition {
    return this.#current;
  }

  /** With these variables, and where links lead now. What is not there is an error where it is used, which says more. */
  next(env: Variables): Edition {
    const { cwd, file } = this.#place;
    return Object.freeze({
      env: this.#own(env),
      cwd: realOr(cwd),
      ...(file !== undefined && { file: realOr(file) }),
    });
  }

  adopt(edition: Edition): void {
    this.#current = edition;
  }
}

function realOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
