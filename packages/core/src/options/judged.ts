import { OptionError } from "../model/errors.ts";

/** What `make` gives; undefined: it cannot, and somebody was told why. */
export type Judged = <Made>(make: () => Made) => Made | undefined;

/** Has `found` told of options that cannot be used, so that others can still be judged; without it, the first is thrown. */
export function judging(found: ((error: OptionError) => void) | undefined): Judged {
  if (found === undefined) return (make) => make();
  return (make) => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      found(error);
      return undefined;
    }
  };
}
