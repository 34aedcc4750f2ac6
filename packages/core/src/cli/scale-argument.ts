import { InvalidArgumentError } from "commander";
import { wholeNumber } from "./flag-values.ts";
import { group } from "./instance-address.ts";

/** How many instances there are to be, or how many more. */
type Size = { readonly to: number } | { readonly by: number };

export interface ScaleArgument {
  /** Undefined: the app is meant. */
  readonly backend?: string;
  /** Undefined: it was not said yet. */
  readonly size?: Size;
}

/** Takes the words one after the other: `3`, `+1`, `-2`; `py 3`. */
export function scaleArgument(word: string, before: ScaleArgument = {}): ScaleArgument {
  if (before.size !== undefined) throw new InvalidArgumentError("There is more than a backend and a number.");
  const namesBackend = before.backend === undefined && /^[a-z]/i.test(word);
  return namesBackend ? { backend: group(word) } : { ...before, size: size(word) };
}

function size(word: string): Size {
  const [, sign, digits] = /^([+-]?)(\d{1,4})$/.exec(word.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("Give a number of instances, or a change such as +1 or -2.");
  if (sign === "") return { to: wholeNumber(1, 1_024)(digits) };
  return { by: sign === "-" ? -Number(digits) : Number(digits) };
}
