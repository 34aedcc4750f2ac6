/**
 * The channel between primary and worker is the app's too: its `process.send` and `process.on("message")` are the app's
 * alone. Node gives a message whose `cmd` begins with `NODE_` to another event, by which its own modules talk
 * (`node:cluster` does); so do we. The app's listeners never see what is ours, and a listener of that event does not keep
 * the process alive.
 */
export const internalEvent = "internalMessage";

/** Goes with each message of ours. */
export const internalMark = { cmd: "NODE_LB" } as const;
