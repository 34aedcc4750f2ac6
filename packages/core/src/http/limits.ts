/** Sizes beyond which a message is refused. Every one bounds memory or work that a single peer can cause. */
export interface HttpLimits {
  /** Request or status line and all header lines with their CRLFs and the blank line. Default 16,384; over it: 431. */
  readonly maxHeadBytes: number;
  /** The request target as received. Default 8,192; over it: 414. */
  readonly maxTargetBytes: number;
  /** Header lines in one head. Default 128; over it: 431. */
  readonly maxHeaders: number;
  /** Payload bytes of one request body, whether declared or chunked. Default Infinity; over it: 413. */
  readonly maxBodyBytes: number;
  /** Chunk extensions of one body together; they are validated and discarded. Default 1,024; over it: 413. */
  readonly maxChunkExtensionBytes: number;
  /** The trailer section of one body. Default 4,096; over it: 431. */
  readonly maxTrailerBytes: number;
}

export const defaultHttpLimits: HttpLimits = Object.freeze({
  maxHeadBytes: 16_384,
  maxTargetBytes: 8_192,
  maxHeaders: 128,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxChunkExtensionBytes: 1_024,
  maxTrailerBytes: 4_096,
});
