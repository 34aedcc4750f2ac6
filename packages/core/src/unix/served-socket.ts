import { connect } from "node:net";

/** One that takes longer has a full backlog: it is there, however busy. */
const probeMs = 1_000;

/**
 * Whether somebody listens at a Unix socket. By connecting: a process of the number that its name says may be another one by
 * now, or be in another container.
 */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(probeMs, () => settle(true));
    socket.on("connect", () => settle(true));
    socket.on("error", ({ code }: NodeJS.ErrnoException) => settle(code !== "ECONNREFUSED" && code !== "ENOENT"));
  });
}
