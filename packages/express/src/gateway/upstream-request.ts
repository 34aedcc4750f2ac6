import type { OutgoingHttpHeaders } from "node:http";

/** What goes to an endpoint, whichever it is. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  /** By lower-case name, without those about a connection and Transfer-Encoding. */
  readonly headers: OutgoingHttpHeaders;
}
