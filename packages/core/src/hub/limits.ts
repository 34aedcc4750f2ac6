/** One message, with everything around it. What is larger is refused where it is sent. */
export const maxFrameBytes = 33_554_432;
/**
 * What may wait for one process that does not read. A worker with more in store is cut off and starts anew; one that
 * would send more to a primary that does not read is refused.
 */
export const maxQueuedBytes = 67_108_864;
/** Names of channels and counters, keys of counters and of the store, in bytes of UTF-8. */
export const maxNameBytes = 1_024;
export const maxChannels = 65_536;
/** Of what all channels retain together; the channel that says more pays with its own oldest messages. */
export const maxRetainedBytes = 536_870_912;
/** Of all counters together. A counter takes about 250 bytes. */
export const maxCounters = 200_000;
export const maxStoredKeys = 200_000;
export const maxStoredBytes = 134_217_728;
