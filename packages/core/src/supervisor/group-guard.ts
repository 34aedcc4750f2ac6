import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../model/clock.ts";
import { hasGroups } from "./process-group.ts";

/**
 * Reads `+ 123 TERM` and `- 123`: process groups that live, and that have ended. At the end of its input, which is the end of the
 * primary, those that live get their signal, if one was named, and then the time that is given as the first
 * argument, in seconds. As soon as the leader of one has
 * ended in that time, by itself, the rest of its group is killed; what is left in the end, too. A look each second keeps short
 * the time in which a number could come to belong to somebody else.
 */
const script = `
trap '' HUP INT QUIT TERM
groups=
signals=
while read -r sign group signal; do
  others=
  for one in $groups; do [ "$one" = "$group" ] || others="$others $one"; done
  groups=$others
  others=
  for one in $signals; do [ "\${one%%:*}" = "$group" ] || others="$others $one"; done
  signals=$others
  [ "$sign" = + ] && groups="$groups $group" && [ -n "$signal" ] && signals="$signals $group:$signal"
done
for one in $signals; do kill -s "\${one#*:}" -- "-\${one%%:*}"; done
left=$1
while [ -n "$groups" ] && [ "$left" -gt 0 ]; do
  sleep 1
  left=$((left - 1))
  living=
  for one in $groups; do
    if kill -0 "$one"; then living="$living $one"; else kill -s KILL -- "-$one"; fi
  done
  groups=$living
done
for one in $groups; do kill -s KILL -- "-$one"; done
`;

/** One that was ended by somebody else is replaced, but not faster than this. */
const againMs = 1_000;

export interface GroupGuardOptions {
  /** What workers that lost their primary give themselves to drain, and until they are killed. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** There is no shell to run it with: after SIGKILL of the primary, a worker that is blocked may stay. Told once. */
  readonly failed: (error: Error) => void;
}

/**
 * Sees to it that no worker, and nothing that workers started, outlives a primary that was killed. Workers drain and end by
 * themselves then, but for one that is blocked; and what they started they may leave behind. The guard is a shell of less than
 * a megabyte, in a session of its own, which waits for the end of a pipe.
 */
export class GroupGuard {
  readonly #options: GroupGuardOptions;
  /** With the signal that ends each; undefined: it notices by itself that the primary has ended. */
  readonly #groups = new Map<number, NodeJS.Signals | undefined>();
  #shell: ChildProcess | undefined;
  #closed = false;

  constructor(options: GroupGuardOptions) {
    this.#options = options;
  }

  watch(leader: number, signal?: NodeJS.Signals): void {
    if (!hasGroups || this.#closed) return;
    this.#groups.set(leader, signal);
    if (this.#shell === undefined) this.#start();
    else this.#tell("+", leader, signal);
  }

  forget(leader: number): void {
    if (this.#groups.delete(leader)) this.#tell("-", leader);
  }

  /** Ends the guard. It looks after groups that are still watched as if the primary had been killed. */
  close(): void {
    this.#closed = true;
    this.#shell?.stdin?.end();
  }

  #start(): void {
    const seconds = Math.ceil(this.#options.graceMs / 1_000);
    const shell = spawn("/bin/sh", ["-c", script, "lb-guard", String(seconds)], {
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#shell = shell;
    shell.on("error", (error) => this.#options.failed(error));
    // Its exit says all there is to say.
    shell.stdin!.on("error", () => {});
    shell.on("exit", () => {
      if (this.#closed) return;
      this.#options.clock.after(againMs, () => {
        if (!this.#closed) this.#start();
      });
    });
    // It holds no process.
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
    for (const [leader, signal] of this.#groups) this.#tell("+", leader, signal);
  }

  #tell(sign: "+" | "-", leader: number, signal?: NodeJS.Signals): void {
    this.#shell?.stdin?.write(`${sign} ${leader} ${signal?.replace("SIG", "") ?? ""}\n`);
  }
}
