import type { HandshakeFacts } from "../tls/handshakes.ts";
import type { ProxiedPeer } from "./proxy-protocol.ts";

/** What is known of a connection by where and how it came in. */
export interface ListenerFacts extends HandshakeFacts {
  /** Which of the public listeners it was, counted from 0. */
  readonly listener: number;
  /** A Unix socket: its peers have no address, and are processes of this machine. */
  readonly isUnix: boolean;
  /** The same for each of them; asking each socket would take a system call. 0: none. */
  readonly localPort: number;
  readonly encrypted: boolean;
  /** Its client speaks TLS, and nobody has made the handshake yet: no answer would be understood. */
  readonly isUnread?: boolean;
  /** Whom a proxy of ours has accepted, where it said so. Default: the connection's own peer. */
  readonly peer?: ProxiedPeer | undefined;
}
