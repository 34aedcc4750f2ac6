import { randomBytes } from "node:crypto";
import type { SecureContext, Server } from "node:tls";

// All of Node's internals that session tickets touch. A context has one key by what is documented, so that nobody could resume
// a session when the key changes; Node's own tests have a way to answer for several, which is as old as tickets there.

/** A ticket's key: 16 bytes each that name it, authenticate by it, and encrypt by it. */
const partBytes = 16;
const keyBytes = 3 * partBytes;

/** As Node has it, in base64: in plain data it goes to other processes. */
export function newTicketKey(): string {
  return randomBytes(keyBytes).toString("base64");
}

/** What a ticket is sealed or opened with: whether, its two keys, and what it is marked with. */
type Answer = readonly [outcome: number, hmac: Buffer, aes: Buffer, name?: Buffer, iv?: Buffer];

const failed = -1;
const unknown = 0;
const sealed = 1;
/** Opened by a key of before: the client gets another ticket. */
const renewed = 2;

interface Inside {
  enableTicketKeyCallback?(): void;
  onticketkeycallback?: (name: Buffer, iv: Buffer, seals: boolean) => Answer | readonly [number];
}

/**
 * Has the context seal tickets with the first of the keys, and open those of all. Where Node does not have the way any more, it
 * opens those of the one that it was made with.
 */
export function useTicketKeys(context: SecureContext, keys: readonly Buffer[]): void {
  const inside = context.context as Inside;
  if (typeof inside.enableTicketKeyCallback !== "function") return;
  const known = keys.map((key) => ({
    name: key.subarray(0, partBytes),
    hmac: key.subarray(partBytes, 2 * partBytes),
    aes: key.subarray(2 * partBytes, keyBytes),
  }));
  const [current] = known;
  if (current === undefined) return;
  // Nothing that it is called for may throw: it is called from within OpenSSL.
  inside.onticketkeycallback = (name, _iv, seals) => {
    try {
      if (seals) return [sealed, current.hmac, current.aes, current.name, nextIv()];
      const key = known.find((one) => one.name.equals(name));
      if (key === undefined) return [unknown, current.hmac, current.aes];
      return [key === current ? sealed : renewed, key.hmac, key.aes];
    } catch {
      return [failed];
    }
  };
  inside.enableTicketKeyCallback();
}

const ivsAtOnce = 256;
let ivs = Buffer.alloc(0);

/** Random bytes are had by the page: 16 of them cost nearly as much, and a handshake seals two tickets. */
function nextIv(): Buffer {
  if (ivs.length === 0) ivs = randomBytes(ivsAtOnce * partBytes);
  const iv = ivs.subarray(0, partBytes);
  ivs = ivs.subarray(partBytes);
  return iv;
}

/** The context that a server begins its handshakes with. */
export function contextOf(server: Server): SecureContext | undefined {
  return (server as Server & { readonly _sharedCreds?: SecureContext })._sharedCreds;
}
