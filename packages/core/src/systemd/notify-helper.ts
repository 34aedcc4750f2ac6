import { type ChildProcess, spawn } from "node:child_process";

/**
 * Each line is a message, its assignments with tabs between them. What ends the service ends it too, by the end of its input: a
 * signal to the whole group would come too early.
 */
const script = `
trap '' HUP INT QUIT TERM
command -v systemd-notify >/dev/null || exit 127
tab=$(printf '\\t')
while IFS=$tab read -r one two three; do
  systemd-notify \${one:+"$one"} \${two:+"$two"} \${three:+"$three"}
done
`;

const notFound = 127;
/** What waits for a helper that has got stuck; a message more is not sent. */
const maxWaitingBytes = 16_384;

export interface NotifyHelperOptions {
  readonly socket: string;
  readonly path: string | undefined;
  /** Nothing will be told any more. Called once. */
  readonly failed: (why: string) => void;
}

/**
 * Sends messages to systemd. Node.js has no datagrams over Unix sockets, and starting a program for each message would hold up the front
 * for as long as it takes to copy the tables of its memory: so a shell of less than a megabyte does that.
 */
export class NotifyHelper {
  readonly #failed: NotifyHelperOptions["failed"];
  #shell: ChildProcess | undefined;

  constructor({ socket, path, failed }: NotifyHelperOptions) {
    this.#failed = failed;
    const env = { NOTIFY_SOCKET: socket, ...(path !== undefined && { PATH: path }) };
    const shell = spawn("/bin/sh", ["-c", script], { env, stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#shell = shell;
    shell.on("error", (error) => this.#gone(error.message));
    shell.stdin.on("error", () => {});
    shell.once("exit", (code) =>
      this.#gone(code === notFound ? "there is no program systemd-notify on the PATH" : "its helper has ended"),
    );
    shell.unref();
    (shell.stdin as unknown as { unref(): void }).unref();
  }

  /** `STATUS=…` and the like; three of them at most. */
  send(...assignments: readonly string[]): void {
    const input = this.#shell?.stdin;
    if (input == null || input.writableLength > maxWaitingBytes) return;
    input.write(`${assignments.map((text) => text.replaceAll(/\s+/g, " ")).join("\t")}\n`);
  }

  /** What was sent before still arrives; it has when this resolves. */
  close(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    if (shell === undefined) return Promise.resolve();
    shell.stdin?.end();
    return new Promise((resolve) => shell.once("exit", () => resolve()));
  }

  #gone(why: string): void {
    if (this.#shell === undefined) return;
    this.#shell = undefined;
    this.#failed(why);
  }
}
