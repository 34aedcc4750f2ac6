import * as v from "valibot";

const remedy = 'give scheme, host and port alone, e.g. "https://app.example"';

/** A list of origins such as `"https://app.example"`. */
export const originsSchema = v.pipe(
  v.array(v.pipe(v.string("give an origin"), v.check(isOrigin, remedy)), "give a list of origins"),
  v.transform((list): ReadonlySet<string> => new Set(list)),
);

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
