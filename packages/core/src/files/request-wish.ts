import { acceptedCodings, type Coding } from "./content-coding.ts";
import type { FileRequest } from "./file-request.ts";

/** What the header fields of a request say of the answer that it wants. */
export interface RequestWish {
  /** Best first. One list for all who take the same. */
  readonly codings: readonly Coding[];
  /** A person goes there: see {@link isNavigation}. */
  readonly navigates: boolean;
  /** It has a condition, or wants a part: its answer may be another than that of those who want the same otherwise. */
  readonly particular: boolean;
}

const particular = ["if-none-match", "if-modified-since", "range", "if-match", "if-unmodified-since"];

/** Clients repeat their header lines, and what these say need not be found out again. */
const known = new WeakMap<object, RequestWish>();

export function wishOf(request: FileRequest): RequestWish {
  let wish = known.get(request.fields);
  if (wish === undefined) {
    wish = {
      codings: acceptedCodings(request.header("accept-encoding")),
      navigates: isNavigation(request.header("accept"), request.header("sec-fetch-mode")),
      particular: particular.some((name) => request.header(name) !== undefined),
    };
    known.set(request.fields, wish);
  }
  return wish;
}

/** Of browsers: whether what is fetched is to be shown as a page. Others say that they want HTML. */
export function isNavigation(accept: string | undefined, fetchMode: string | undefined): boolean {
  if (fetchMode !== undefined && fetchMode !== "navigate") return false;
  return accept !== undefined && /(^|[,\s])text\/html\s*(;(?!\s*q=0(\.0*)?\s*(,|$))|,|$)/i.test(accept);
}
