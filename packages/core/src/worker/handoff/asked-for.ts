import type { IncomingMessage } from "node:http";
import { normaliseAddress } from "../../http/address.ts";
import { clientBehind } from "../../http/forwarded-for.ts";
import type { HandedConnection } from "./handed-connection.ts";

/** What the app may change in a request, or its connection has no more, when its response ends. */
export interface AskedFor {
  readonly target: string;
  /** The client's address, as a trusted proxy may have told it. */
  readonly client: string;
}

export function askedFor({ socket, headers, url }: IncomingMessage, { trusted }: HandedConnection): AskedFor {
  const peer = normaliseAddress(socket.remoteAddress ?? "");
  // Node joins those of several lines.
  const forwarded = trusted === true ? (headers["x-forwarded-for"] as string | undefined) : undefined;
  return { target: url ?? "/", client: forwarded === undefined ? peer : clientBehind(peer, forwarded) };
}
