import { LbError } from "../model/errors.ts";

/**
 * - `LB_LINK_PROTOCOL`: the peer sent what the protocol does not allow; its code is broken or is not ours.
 * - `LB_LINK_VERSION`: the peer speaks another version of the protocol: two versions of the library in one cluster.
 * - `LB_LINK_CONNECT`: the worker's intake refused the connection or did not greet in time.
 * - `LB_LINK_LOST`: the connection broke while it was in use; most often the worker died.
 */
export type LinkErrorCode = "LB_LINK_PROTOCOL" | "LB_LINK_VERSION" | "LB_LINK_CONNECT" | "LB_LINK_LOST";

/** The link between the front and one worker is unusable. It is closed, and all its streams have failed. */
export class LinkError extends LbError {
  declare readonly code: LinkErrorCode;

  constructor(code: LinkErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
