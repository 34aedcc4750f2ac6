import { deserialize, serialize } from "node:v8";

/**
 * Values with all that JavaScript can clone, binary included. What it cannot, such as a function in `socket.data`, is left
 * out, as JSON leaves it out.
 */
export function encodeStructured(value: unknown): Buffer {
  try {
    return serialize(value);
  } catch {
    return serialize(JSON.parse(JSON.stringify(value)));
  }
}

/** @throws Error for bytes that were not written by `encodeStructured` */
export function decodeStructured(bytes: Buffer): unknown {
  return deserialize(bytes);
}
