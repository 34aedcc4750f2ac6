import type { IncomingMessage } from "node:http";

/** Has a request say this of a field, in place of what its client says; undefined: nothing. */
export function setField(request: IncomingMessage, name: string, value: string | undefined): void {
  const { rawHeaders, headers, headersDistinct } = request;
  const lowerName = name.toLowerCase();
  if (headers[lowerName] !== undefined) {
    const kept: string[] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      if (rawHeaders[index]!.toLowerCase() !== lowerName) kept.push(rawHeaders[index]!, rawHeaders[index + 1]!);
    }
    rawHeaders.splice(0, rawHeaders.length, ...kept);
  }
  if (value === undefined) {
    delete headers[lowerName];
    delete headersDistinct[lowerName];
    return;
  }
  rawHeaders.push(name, value);
  headers[lowerName] = value;
  headersDistinct[lowerName] = [value];
}
