/** One message, with everything around it. What is larger is refused where it is sent. */
export const maxFrameBytes = 33_554_432;
/** Of a worker that has not said who it is, and of what is said beside messages. */
export const maxHelloBytes = 1_024;
export const maxControlBytes = 16_384;
/** Without a hello for so long, a connection is closed. In milliseconds. */
export const helloTimeoutMs = 5_000;
/** One for each worker is what there is. */
export const maxConnections = 2_048;
/**
 * What may wait for one process that does not read. A worker with more in store is cut off and starts anew; one that
 * would send more to a primary that does not read is refused.
 */
export const maxQueuedBytes = 67_108_864;
/** Names of channels and counters, keys of counters and of the store, in bytes of UTF-8. */
export const maxNameBytes = 1_024;
/** A key as it comes to the primary: the name before it, and what separates them. */
export const maxKeyBytes = 2 * maxNameBytes + 1;
export const maxChannels = 65_536;
/** Of what all channels retain together; the channel that says more pays with its own oldest messages. */
export const maxRetainedBytes = 536_870_912;
/** What one of them takes beside its bytes, as measured: 290 where many came together, 590 alone. */
export const retainedOverheadBytes = 600;
/** Of all counters together, and of what they take: a counter about 250 bytes and its key. */
export const maxCounters = 200_000;
export const maxCounterBytes = 134_217_728;
export const entryOverheadBytes = 250;
export const maxStoredKeys = 200_000;
export const maxStoredBytes = 134_217_728;
