import { LbError } from "./errors.ts";
import { addressText, type ListenerAddress } from "./listener-address.ts";

export interface ListenAttempt {
  readonly address: ListenerAddress;
  /** What to change so that it is opened elsewhere, e.g. `the option "port"`. */
  readonly remedy: string;
}

/**
 * A listener could not be opened. `LB_PORT_BUSY`, `LB_PORT_DENIED`, those of Unix sockets `LB_PATH_BUSY`, `LB_PATH_DENIED`, or
 * `LB_LISTEN` for what is left; `cause` kept.
 */
export class ListenError extends LbError {
  /** As `127.0.0.1:3000`, `unix:/run/app.sock` or `fd:3`. */
  readonly address: string;
  /** Of a port; else `""`. */
  readonly host: string;
  /** Else 0. */
  readonly port: number;

  constructor({ address, remedy }: ListenAttempt, cause: unknown) {
    const { code, reason } = explanations[address.kind](cause, remedy);
    const text = addressText(address);
    super(code, `Cannot listen on ${text}: ${reason}`, { cause });
    this.address = text;
    this.host = address.kind === "tcp" ? address.host : "";
    this.port = address.kind === "tcp" ? address.port : 0;
  }
}

interface Explanation {
  readonly code: string;
  readonly reason: string;
}

/** `remedy`: as in {@link ListenAttempt}. */
type Explain = (cause: unknown, remedy: string) => Explanation;

/** To users that are not root, where ports below 1024 are kept from them. */
const grants =
  'setcap cap_net_bind_service=+ep "$(readlink -f "$(which node)")", AmbientCapabilities=CAP_NET_BIND_SERVICE in a unit of ' +
  "systemd, or sysctl net.ipv4.ip_unprivileged_port_start=80";

const explanations: Readonly<Record<ListenerAddress["kind"], Explain>> = {
  tcp(cause, remedy) {
    switch (systemCode(cause)) {
      case "EADDRINUSE":
        return {
          code: "LB_PORT_BUSY",
          reason: `the port is in use by another process. Stop that process, or change ${remedy}.`,
        };
      case "EACCES":
        return {
          code: "LB_PORT_DENIED",
          reason: `this user may not open the port. Change ${remedy} to one above 1023, or grant the right to bind it: ${grants}.`,
        };
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        return { code: "LB_LISTEN", reason: "this machine has no such address. Correct the host." };
      default:
        return unexplained(cause);
    }
  },
  unix(cause, remedy) {
    switch (systemCode(cause)) {
      case "EADDRINUSE":
        return {
          code: "LB_PATH_BUSY",
          reason:
            "another process listens there, or something is in the way that is not a socket which this user may replace. " +
            `Stop it, remove it, or change ${remedy}.`,
        };
      // Node says EACCES where the system says ENOENT.
      case "EACCES":
      case "EPERM":
      case "EROFS":
      case "ENOTDIR":
        return {
          code: "LB_PATH_DENIED",
          reason:
            "there is no such directory, or this user may not make a file in it. Make it, let the user write in it, or " +
            `change ${remedy}.`,
        };
      default:
        return unexplained(cause);
    }
  },
  fd: (_cause, remedy) => ({
    code: "LB_LISTEN",
    reason: `this descriptor is no stream socket that was inherited to listen on. Correct ${remedy}.`,
  }),
};

function systemCode(cause: unknown): unknown {
  return cause instanceof Error ? (cause as Error & { readonly code?: unknown }).code : undefined;
}

function unexplained(cause: unknown): Explanation {
  return { code: "LB_LISTEN", reason: cause instanceof Error ? cause.message : String(cause) };
}
