/** In the chunked coding. */
export function chunkOf(bytes: Buffer): Buffer {
  const size = bytes.length.toString(16);
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 4);
  chunk.write(`${size}\r\n`, "latin1");
  bytes.copy(chunk, size.length + 2);
  chunk.write("\r\n", size.length + 2 + bytes.length, "latin1");
  return chunk;
}
