import { createHash } from "node:crypto";
import type { RequestHead } from "../../http/request-head.ts";
import { beginningBytes } from "./request-replay.ts";

/** By which a request is known again: what it asks for, and the beginning of its body. */
export interface Fingerprint {
  readonly head: string;
  /** `""`: it has none. */
  readonly body: string;
}

type Asked = Pick<RequestHead, "method" | "host" | "target" | "framing">;

/** The whole target, with its query: another one may be another request. */
export function headPrint({ method, host, target }: Asked): string {
  return `${method} ${host}${target}`;
}

/** Of a body longer than {@link beginningBytes}: its beginning, and how long it says it is. */
export function fingerprint(request: Asked, beginning: readonly Buffer[]): Fingerprint {
  const { framing } = request;
  const head = headPrint(request);
  if (framing.kind === "none") return { head, body: "" };
  const hash = createHash("sha256");
  let left = beginningBytes;
  for (const piece of beginning) {
    hash.update(piece.length <= left ? piece : piece.subarray(0, left));
    left -= Math.min(left, piece.length);
  }
  const length = framing.kind === "length" ? framing.bytes : "chunked";
  return { head, body: `${length} ${hash.digest("base64")}` };
}
