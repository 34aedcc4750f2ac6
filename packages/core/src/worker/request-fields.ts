import type { IncomingMessage } from "node:http";

const x = 0x78;
const f = 0x66;
const c = 0x63;
/** Fields in which a proxy tells whom it speaks for; from anybody else they are worth nothing. */
const forwarding = /^(x[-_]forwarded([-_].*)?|x[-_]real[-_]ip|forwarded)$/i;

/**
 * Takes out forwarding fields that nobody of ours wrote, and the cookie that is ours, as the relay of proxy mode does.
 * Hot path: a look at the first letters of the names, and no allocation where there is nothing to do.
 */
export function removeFields(
  request: IncomingMessage,
  dropsForwarding: boolean,
  stripCookie: ((value: string) => string) | undefined,
): void {
  const { rawHeaders } = request;
  let found = false;
  for (let index = 0; index < rawHeaders.length && !found; index += 2) {
    const name = rawHeaders[index]!;
    const first = name.charCodeAt(0) | 0x20;
    if (dropsForwarding && (first === x || first === f)) found = forwarding.test(name);
    if (stripCookie !== undefined && first === c && name.length === 6) found ||= name.toLowerCase() === "cookie";
  }
  if (found) rewrite(request, dropsForwarding, stripCookie);
}

function rewrite(
  request: IncomingMessage,
  dropsForwarding: boolean,
  stripCookie: ((value: string) => string) | undefined,
): void {
  const { rawHeaders, headers, headersDistinct } = request;
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    let value = rawHeaders[index + 1]!;
    if (dropsForwarding && forwarding.test(name)) continue;
    if (stripCookie !== undefined && name.toLowerCase() === "cookie") {
      value = stripCookie(value);
      if (value === "") continue;
    }
    kept.push(name, value);
  }
  for (const name of Object.keys(headers)) {
    const drop = (dropsForwarding && forwarding.test(name)) || name === "cookie";
    if (drop) {
      delete headers[name];
      delete headersDistinct[name];
    }
  }
  const cookies = kept.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === "cookie" ? kept[index + 1]! : [],
  );
  if (cookies.length > 0) {
    headers.cookie = cookies.join("; ");
    headersDistinct["cookie"] = cookies;
  }
  rawHeaders.splice(0, rawHeaders.length, ...kept);
}
