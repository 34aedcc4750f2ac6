import { connect, type Socket } from "node:net";

/** As much as Node reads at a time when it allocates the memory itself. */
const readBytes = 65_536;
/** Smaller reads are copied, so that a slice that has to be kept keeps no more than the read it came in. */
const maxCopiedBytes = 16_384;

/**
 * Connects to a worker. What arrives is given to `feed`, which says whether its memory is free again; if it is, the next
 * read goes there too. Node on its own allocates 64 KB for every read, and most of what a front spends on large responses
 * is the kernel giving it that memory (docs/performance.md).
 */
export function connectLink(path: string, feed: (bytes: Buffer) => boolean): Socket {
  let memory = Buffer.allocUnsafeSlow(readBytes);
  return connect({
    path,
    onread: {
      buffer: () => memory,
      callback(length) {
        const bytes = memory.subarray(0, length);
        if (length <= maxCopiedBytes) feed(Buffer.from(bytes));
        else if (!feed(bytes)) memory = Buffer.allocUnsafeSlow(readBytes);
        return true;
      },
    },
  });
}
