import { type SlotToken, type SlotTokens, tokenLength } from "./slot-tokens.ts";

/** Each generation of the memory holds so many, at some 400 bytes: 1.7 MB for both. */
const defaultCapacity = 2_048;

/**
 * Reads tokens, and keeps what recent ones meant, since an HMAC costs as much as all else that is done to find a
 * request's endpoint. Only tokens that we issued are kept, so made-up ones cannot displace them (BAD-INPUTS 84).
 *
 * Two generations in place of an exact LRU: when the young one is full it becomes the old one, and what is asked for
 * of the old one is young again. A hit in the young one changes nothing.
 *
 * That looking a text up takes a time that depends on the texts kept does not help to guess one: the map compares
 * the hash of the whole text, seeded anew in each process, before it compares any of its characters.
 */
export class TokenMemo<Meaning> {
  readonly #tokens: SlotTokens;
  readonly #meaningOf: (token: SlotToken) => Meaning;
  readonly #capacity: number;
  #young = new Map<string, Kept<Meaning>>();
  #old = new Map<string, Kept<Meaning>>();

  /** At most twice `capacity` are kept. */
  constructor(tokens: SlotTokens, meaningOf: (token: SlotToken) => Meaning, capacity: number = defaultCapacity) {
    this.#tokens = tokens;
    this.#meaningOf = meaningOf;
    this.#capacity = capacity;
  }

  /** Tokens kept now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** What `text` means; undefined if it is none of our tokens. */
  read(text: string): Meaning | undefined {
    if (text.length !== tokenLength) return undefined;
    const kept = this.#young.get(text) ?? this.#recall(text) ?? this.#verify(text);
    return kept?.meaning;
  }

  #recall(text: string): Kept<Meaning> | undefined {
    const kept = this.#old.get(text);
    if (kept === undefined) return undefined;
    this.#old.delete(text);
    return this.#keep(kept);
  }

  #verify(text: string): Kept<Meaning> | undefined {
    const token = this.#tokens.read(text);
    return token === undefined ? undefined : this.#keep({ text: token.text, meaning: this.#meaningOf(token) });
  }

  #keep(kept: Kept<Meaning>): Kept<Meaning> {
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(kept.text, kept);
    return kept;
  }
}

interface Kept<Meaning> {
  /** A string of its own: the one that is looked up is part of a request head, and would keep all of it in memory. */
  readonly text: string;
  readonly meaning: Meaning;
}
