import type { Charset } from "./sparkline.ts";

/** What the terminal's user says of it: where nothing is said, it is UTF-8, as nearly everywhere. */
export function charsetOf({ LC_ALL, LC_CTYPE, LANG, TERM }: NodeJS.ProcessEnv): Charset {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== "");
  const isUtf8 = locale === undefined || /utf-?8/i.test(locale);
  // The console of the kernel has some hundred signs.
  return isUtf8 && TERM !== "linux" ? "unicode" : "ascii";
}
