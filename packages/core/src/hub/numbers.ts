import { createHash } from "node:crypto";

const known = new Map<number, string>();
/** Instances that ever spoke to this process; beyond it the memo starts anew. */
const maxKnown = 4_096;

/** `"2.1"`, second slot and first worker in it, as one number of 48 bits; undefined for anything else. */
export function instanceNumber(endpointId: string): number | undefined {
  const match = /^([1-9]\d{0,4})\.([1-9]\d{0,9})$/.exec(endpointId);
  if (match === null) return undefined;
  const [slot, incarnation] = [Number(match[1]), Number(match[2])];
  return slot > 0xffff || incarnation > 0xffff_ffff ? undefined : slot * 0x1_0000_0000 + incarnation;
}

export function endpointIdOf(instance: number): string {
  let text = known.get(instance);
  if (text === undefined) {
    text = `${Math.floor(instance / 0x1_0000_0000)}.${instance % 0x1_0000_0000}`;
    if (known.size >= maxKnown) known.clear();
    known.set(instance, text);
  }
  return text;
}

/**
 * What a channel is called on the wire. Every worker computes it for itself, so nobody waits for a number; that two names
 * of one program meet in it is as likely as 2^-48, and then the second is refused.
 */
export function channelNumber(name: string): number {
  return createHash("sha256").update(name).digest().readUIntBE(0, 6);
}
