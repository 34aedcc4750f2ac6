/** A listening socket that whoever started this process has opened for it. */
export interface InheritedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of its unit, or what systemd makes up. */
  readonly name: string;
}

/**
 * What systemd says of sockets:
 * - `ours`: these are here, perhaps none;
 * - `others`: they were for the process `pid`, e.g. a shell or `npx` that has started this one.
 */
export type InheritedSockets =
  | { readonly kind: "ours"; readonly sockets: readonly InheritedSocket[] }
  | { readonly kind: "others"; readonly pid: number };

/** Where systemd begins (`SD_LISTEN_FDS_START`). */
const firstDescriptor = 3;
const maxSockets = 64;

/**
 * The sockets that systemd has opened for the process `pid` (sd_listen_fds(3)). The variables are taken out of `env`: they are not for
 * the processes that this one starts.
 */
export function takeInheritedSockets(env: NodeJS.ProcessEnv, pid: number): InheritedSockets {
  const { LISTEN_PID: owner = "", LISTEN_FDS: count = "", LISTEN_FDNAMES: names = "" } = env;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"]) delete env[name];
  if (!/^\d{1,10}$/.test(owner) || !/^\d{1,3}$/.test(count)) return { kind: "ours", sockets: [] };
  if (Number(owner) !== pid) return { kind: "others", pid: Number(owner) };
  const named = names.split(":");
  const length = Math.min(Number(count), maxSockets);
  return {
    kind: "ours",
    sockets: Array.from({ length }, (_, at) => ({ fd: firstDescriptor + at, name: named[at] ?? "" })),
  };
}
