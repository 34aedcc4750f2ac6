import { constants } from "node:os";

/** A `listen` that failed, as Node tells it (`errors.js`, `UVExceptionWithHostPort`). */
export interface ListenFailure {
  readonly code: string;
  readonly port: number;
  readonly host: string | undefined;
}

export function listenFailure({ code, port, host }: ListenFailure): Error {
  const address = host ?? "::";
  const what = messages[code] ?? "the port cannot be opened";
  const errno = -((constants.errno as Readonly<Record<string, number>>)[code] ?? 1);
  return Object.assign(new Error(`listen ${code}: ${what} ${address}:${port}`), {
    code,
    errno,
    syscall: "listen",
    address,
    port,
  });
}

const messages: Readonly<Record<string, string>> = {
  EADDRINUSE: "address already in use",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "address not available",
};

export function addressInUse({ port, host }: Omit<ListenFailure, "code">): Error {
  return listenFailure({ code: "EADDRINUSE", port, host });
}
