import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestIds } from "../../http/request-ids.ts";

const identity = Symbol("lb.id");
type IdentifiedRequest = IncomingMessage & { [identity]?: string };

/** The request's id, if it has one. */
export function idOf(request: IdentifiedRequest): string | undefined {
  return request[identity];
}

/** Gives a request its id, once, in place of what its client says; that of a proxy of ours is kept. */
export function identify(
  request: IdentifiedRequest,
  response: ServerResponse | undefined,
  ids: RequestIds,
  trusted: boolean,
): void {
  if (request[identity] !== undefined) return;
  const { rawHeaders, headers, headersDistinct } = request;
  const name = ids.lowerHeader;
  const said = headers[name] as string | undefined;
  const id = ids.of(trusted ? said : undefined);
  request[identity] = id;
  if (said !== undefined) {
    const kept: string[] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      if (rawHeaders[index]!.toLowerCase() !== name) kept.push(rawHeaders[index]!, rawHeaders[index + 1]!);
    }
    rawHeaders.splice(0, rawHeaders.length, ...kept);
  }
  rawHeaders.push(ids.header, id);
  headers[name] = id;
  headersDistinct[name] = [id];
  if (ids.inResponse) response?.setHeader(ids.header, id);
}
