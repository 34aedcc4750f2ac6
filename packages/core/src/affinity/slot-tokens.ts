import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto";
import type { NonEmpty } from "../model/endpoint.ts";

const macBytes = 16;
const numberBytes = 8;

/** Characters of a token: 24 bytes as base64url, which leaves no bits over, so that no two texts are one token. */
export const tokenLength = 32;

/** A token that we issued. */
export interface SlotToken {
  readonly slot: number;
  /** The number that was sealed with the slot. */
  readonly qualifier: number;
  /** Issued with the secret that issues now. */
  readonly current: boolean;
  /** The token, in a string of its own: it does not hold the request in memory that it came with. */
  readonly text: string;
}

interface Keys {
  readonly mac: KeyObject;
  readonly mask: KeyObject;
}

/**
 * Opaque texts that stand for a slot and one number more. As in SIV (RFC 5297) the HMAC-SHA256 of the two numbers, 128
 * bits of it, is also what their encryption starts from: nobody without a secret can read a token, make one, or tell
 * apart what they differ in; and with it, equal numbers give equal tokens, which can therefore be remembered.
 */
export class SlotTokens {
  readonly #keys: NonEmpty<Keys>;

  /** The first of `secrets` issues, all read. Tokens of one `purpose` mean nothing for another. */
  constructor(secrets: NonEmpty<string>, purpose: string) {
    const [first, ...others] = secrets;
    this.#keys = [keysFor(first, purpose), ...others.map((secret) => keysFor(secret, purpose))];
  }

  /** Both are whole numbers from 0 to 2^32 - 1. */
  issue(slot: number, qualifier: number): string {
    const [{ mac, mask }] = this.#keys;
    const token = Buffer.allocUnsafe(macBytes + numberBytes);
    token.writeUInt32BE(slot, macBytes);
    token.writeUInt32BE(qualifier, macBytes + 4);
    hmac(mac, token.subarray(macBytes)).copy(token, 0, 0, macBytes);
    maskNumbers(token, mask);
    return token.toString("base64url");
  }

  /** What `text` stands for; undefined if none of the secrets issued it. */
  read(text: string): SlotToken | undefined {
    if (text.length !== tokenLength) return undefined;
    const token = Buffer.from(text, "base64url");
    if (token.length !== macBytes + numberBytes) return undefined;
    const own = token.toString("base64url");
    // Node also decodes base64 proper, which we do not write.
    if (own !== text) return undefined;
    for (const keys of this.#keys) {
      maskNumbers(token, keys.mask);
      const expected = hmac(keys.mac, token.subarray(macBytes)).subarray(0, macBytes);
      if (timingSafeEqual(expected, token.subarray(0, macBytes))) {
        const slot = token.readUInt32BE(macBytes);
        const qualifier = token.readUInt32BE(macBytes + 4);
        return { slot, qualifier, current: keys === this.#keys[0], text: own };
      }
      maskNumbers(token, keys.mask);
    }
    return undefined;
  }
}

/** A secret that nobody knows, for a start without a configured one. */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

function keysFor(secret: string, purpose: string): Keys {
  const derived = (use: string) =>
    createSecretKey(createHmac("sha256", secret).update(`lb ${use} ${purpose}`).digest());
  return { mac: derived("mac"), mask: derived("mask") };
}

/** Encrypts the numbers under the MAC in front of them, or decrypts them: it is its own inverse. */
function maskNumbers(token: Buffer, key: KeyObject): void {
  const mask = hmac(key, token.subarray(0, macBytes));
  for (let at = 0; at < numberBytes; at++) token[macBytes + at]! ^= mask[at]!;
}

function hmac(key: KeyObject, bytes: Uint8Array): Buffer {
  return createHmac("sha256", key).update(bytes).digest();
}
