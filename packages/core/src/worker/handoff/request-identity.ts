import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestIds } from "../../http/request-ids.ts";
import { setField } from "../own-field.ts";

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
  const id = ids.of(trusted ? (request.headers[ids.lowerHeader] as string | undefined) : undefined);
  request[identity] = id;
  setField(request, ids.header, id);
  if (ids.inResponse) response?.setHeader(ids.header, id);
}
