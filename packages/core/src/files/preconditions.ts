import type { FileRequest } from "./file-request.ts";
import { httpDate } from "./http-date.ts";
import type { Validators } from "./validators.ts";

export type Verdict = "proceed" | "not-modified" | "failed";

const tag = String.raw`(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"`;
const oneTag = new RegExp(`^${tag}$`);
const tagList = new RegExp(`^[ \\t,]*${tag}(?:[ \\t]*,[ \\t,]*${tag})*[ \\t,]*$`);
const eachTag = new RegExp(tag, "g");

/**
 * Whether a request is to be answered as if it had no conditions (RFC 9110 §13.2.2, in that order). What is no list of tags, or no
 * date, is as if it were not there (BAD-INPUTS 176).
 */
export function judge(
  request: Pick<FileRequest, "header">,
  { etag, lastModified }: Validators,
  nowSeconds: number,
): Verdict {
  const match = tagsIn(request.header("if-match"));
  if (match !== undefined) {
    if (match !== "*" && (etag === undefined || etag.startsWith("W/") || !match.includes(etag))) return "failed";
  } else {
    const since = dateIn(request.header("if-unmodified-since"), nowSeconds);
    if (since !== undefined && lastModified !== undefined && lastModified > since) return "failed";
  }
  const noneGiven = request.header("if-none-match");
  if (noneGiven !== undefined) {
    const none = tagsIn(noneGiven);
    if (none === "*") return "not-modified";
    return none !== undefined && etag !== undefined && none.some((one) => opaque(one) === opaque(etag))
      ? "not-modified"
      : "proceed";
  }
  const since = dateIn(request.header("if-modified-since"), nowSeconds);
  return since !== undefined && lastModified !== undefined && lastModified <= since ? "not-modified" : "proceed";
}

/** Whether the ranges asked for are of the version that is here: else the client gets all of it. */
export function rangeHolds(
  ifRange: string | undefined,
  { etag, lastModified }: Validators,
  nowSeconds: number,
): boolean {
  if (ifRange === undefined) return true;
  if (oneTag.test(ifRange)) return ifRange === etag && !ifRange.startsWith("W/");
  // The very date; and one at which nothing can have changed a second time within its second.
  const strong = etag !== undefined && !etag.startsWith("W/");
  return strong && lastModified !== undefined && httpDate(ifRange, nowSeconds) === lastModified;
}

function tagsIn(field: string | undefined): "*" | readonly string[] | undefined {
  if (field === undefined || field === "*") return field;
  return tagList.test(field) ? field.match(eachTag)! : undefined;
}

const opaque = (etag: string): string => (etag.startsWith("W/") ? etag.slice(2) : etag);

function dateIn(field: string | undefined, nowSeconds: number): number | undefined {
  return field === undefined ? undefined : httpDate(field, nowSeconds);
}
