// How long a worker is waited for, whatever it is. In milliseconds.

/** From a worker's own deadline, at which it drops its connections, until it is killed: it may end in good order. */
export const killMarginMs = 2_000;
/** From SIGTERM to SIGKILL, for a worker that serves nobody. */
export const terminateMs = 1_000;
/** An app that is not ready by then is either slow or will never be; what is known of why is told. */
export const hintAfterMs = 5_000;
