import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";

/**
 * Adds fields (name, value, name, value …) to a response when its head is written, beside those of the same name that the
 * app has set by then, in whichever way it does that.
 */
export function addFields(response: ServerResponse, fields: readonly string[]): void {
  const writeHead = response.writeHead;
  response.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
    // Once; what is written is what this call makes of it.
    response.writeHead = writeHead;
    const reason = typeof rest[0] === "string" ? rest[0] : undefined;
    const given = rest[reason === undefined ? 0 : 1] ?? rest[1];
    setGiven(response, given as OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined);
    for (let index = 0; index + 1 < fields.length; index += 2)
      response.appendHeader(fields[index]!, fields[index + 1]!);
    return Reflect.apply(writeHead, this, reason === undefined ? [status] : [status, reason]) as ServerResponse;
  } as ServerResponse["writeHead"];
}

/** The headers that `writeHead` was given, set as it would: they replace those of the same name set before. */
function setGiven(response: ServerResponse, given: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): void {
  if (given === undefined) return;
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) if (value !== undefined) response.setHeader(name, value);
    return;
  }
  const flat = given.flat();
  const names = new Set(flat.filter((_, index) => index % 2 === 0).map((name) => String(name).toLowerCase()));
  for (const name of names) response.removeHeader(name);
  for (let index = 0; index + 1 < flat.length; index += 2) {
    response.appendHeader(String(flat[index]), String(flat[index + 1]));
  }
}
