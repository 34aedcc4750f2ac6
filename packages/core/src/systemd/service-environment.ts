/** What systemd says to the service that this process is (sd_notify(3), sd_watchdog_enabled(3)). */
export interface ServiceEnvironment {
  /** The socket at which it is told how the service is. */
  readonly socket: string;
  /** It wants to hear in this time, again and again, that the service lives; undefined: it does not. */
  readonly watchdogMs: number | undefined;
}

/** Undefined: nobody wants to be told. The variables are taken out of `env`: they are not for the processes that this one starts. */
export function takeServiceEnvironment(env: NodeJS.ProcessEnv, pid: number): ServiceEnvironment | undefined {
  const { NOTIFY_SOCKET: socket = "", WATCHDOG_USEC: microseconds = "", WATCHDOG_PID: watched } = env;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  if (!/^[/@]/.test(socket)) return undefined;
  const isWatched = /^[1-9]\d{0,15}$/.test(microseconds) && (watched === undefined || watched === String(pid));
  return { socket, watchdogMs: isWatched ? Number(microseconds) / 1_000 : undefined };
}
