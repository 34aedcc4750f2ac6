import type { Address } from "./endpoint.ts";

/**
 * How an endpoint is reached that speaks HTTP/1.1 itself and is no worker of ours; plain data, as messages carry it. There may
 * be a secret in it (`tls.key`), so that it goes by private channels alone.
 */
export interface Http1Reach {
  readonly address: Address;
  /** Absent: it is spoken to in the clear. */
  readonly tls?: UpstreamTls;
  /** In which all paths of its begin. Absent: they begin where those of requests do. */
  readonly basePath?: string;
  /** Each connection begins with a header of the PROXY protocol that names its client, and serves that one alone. */
  readonly proxyProtocol?: 2;
  readonly pool?: Partial<Http1Pool>;
  /** Whoever listens there was started by us: where nobody does any more, another one is about to come. */
  readonly supervised?: true;
}

/** What an encrypted connection to an endpoint has to be, for it to be used. */
export interface UpstreamTls {
  /** Whom the certificate has to be for, a host or an IP address; a host is asked for by SNI. */
  readonly servername: string;
  /** Who may have signed the certificate; PEM, one or several each. Absent: those whom Node.js trusts. */
  readonly ca?: readonly string[];
  /** Our own, for endpoints that ask for one; PEM. */
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  /** The SHA-256 of the public keys of which the certificate has to have one, in base64; besides the rest. */
  readonly pins?: readonly string[];
  /** False: the connection is encrypted, and whoever is at its other end is believed. */
  readonly verify: boolean;
}

/** How connections to an endpoint are kept. */
export interface Http1Pool {
  /** Connections to the endpoint, idle ones included; more requests wait. Default Infinity. */
  readonly maxConnections: number;
  /** Connections kept to the endpoint that nobody uses. Default 64. */
  readonly maxIdle: number;
  /**
   * How long such a connection is kept, in milliseconds. It must be shorter than the endpoint's own keep-alive timeout
   * (5 s in Node), or requests are sent on connections that are just being closed. Default 4,000.
   */
  readonly idleTimeoutMs: number;
  /** Exchanges after which a connection is closed. Default unlimited. */
  readonly maxRequestsPerConnection: number;
  /** Time for a connection to be made, handshake included, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs: number;
}
