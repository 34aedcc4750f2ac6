/** What is known of the machine, and of what this process may do on it. Undefined: it could not be found out here. */
export interface Machine {
  readonly nodeVersion: string;
  readonly uid: number | undefined;
  /** The hard limit of open files, to which Node.js raises the soft one; `Infinity`: there is none. */
  readonly descriptors: number | undefined;
  /** Of the kernel: how many connections may wait to be accepted. */
  readonly somaxconn: number | undefined;
  /** Which ports the system gives to outgoing connections, and which of these it leaves out. */
  readonly ephemeral: { readonly first: number; readonly last: number; readonly reserved: string } | undefined;
  /** Connections in TIME_WAIT. */
  readonly timeWait: number | undefined;
  readonly processors: number;
  /** What the control group allows, in processors. */
  readonly cpuQuota: number | undefined;
  /** Of the periods in which it ran, the part in which the control group held it back. */
  readonly throttled: number | undefined;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number | undefined;
  /** Processes of the control group that the kernel has killed for want of memory. */
  readonly oomKills: number | undefined;
  /** Ports from here on are open to all users; and whether this one may open those below. */
  readonly firstFreePort: number;
  readonly mayOpenLowPorts: boolean;
  readonly directories: readonly MachineDirectory[];
  /** By whom ports of `Wanted.listeners` are held. */
  readonly held: readonly HeldPort[];
  readonly clock: MachineClock;
  readonly lookups: readonly Lookup[];
  /** This machine's own. */
  readonly addresses: readonly string[];
}

export interface MachineDirectory {
  readonly what: string;
  readonly path: string;
  /** Undefined: it can be used. */
  readonly problem: string | undefined;
  readonly freeBytes: number | undefined;
}

export interface HeldPort {
  readonly host: string;
  readonly port: number;
  /** Why it cannot be opened: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`. */
  readonly code: string;
  /** Undefined: it is another user's. */
  readonly owner: { readonly pid: number; readonly name: string; readonly ofCluster: boolean } | undefined;
}

export interface MachineClock {
  readonly now: number;
  /** It is set by others on the network. */
  readonly synchronised: boolean | undefined;
  /** What the kernel reads the time from. */
  readonly source: string | undefined;
}

export interface Lookup {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly error: string | undefined;
  readonly tookMs: number;
}
