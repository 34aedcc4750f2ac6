import type { AccessRecord } from "../model/access-record.ts";
import { quotedText } from "./escaping.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** What nginx has for a client that left before it got a response: the format has no word for none. */
const clientLeft = 499;

/** Of the second that was last written. */
let second = -1;
let secondText = "";

/**
 * A record as nginx and Apache write it by default (`combined`). The user's name is not told, times are UTC, and the bytes are those
 * of the whole response.
 */
export function combinedLine(record: AccessRecord): string {
  const { client, time, method, target, protocol, status = clientLeft, bytesOut, referer, userAgent } = record;
  const request = method === undefined ? "-" : `${method} ${quotedText(target ?? "-")} ${protocol}`;
  return `${quotedText(client) || "-"} - - [${timeText(time)}] "${request}" ${status} ${bytesOut} "${quoted(referer)}" "${quoted(userAgent)}"`;
}

function quoted(text: string | undefined): string {
  return text === undefined || text === "" ? "-" : quotedText(text);
}

function timeText(time: number): string {
  const now = Math.floor(time / 1_000);
  if (now !== second) {
    const date = new Date(now * 1_000);
    const two = (value: number) => String(value).padStart(2, "0");
    const day = `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
    secondText = `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
    second = now;
  }
  return secondText;
}
