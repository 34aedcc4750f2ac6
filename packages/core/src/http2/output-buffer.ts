/** Most turns have little to say to a connection; and there may be very many connections that one turn has something to say to. */
const smallBytes = 4_096;
/** Room for what an endpoint sends in one read, 64 KB, in four frames behind a head. */
const largeBytes = 66_560;
/** Kept of either for the next turns, for all connections together. */
const maxKept = 64;
const kept: { readonly small: OutputBuffer[]; readonly large: OutputBuffer[] } = { small: [], large: [] };

/** What one turn writes to one connection; used again when it was written. */
export class OutputBuffer {
  readonly bytes: Buffer;
  length = 0;
  readonly #kept: OutputBuffer[];
  #free = false;

  /** One with room for so much, a frame at most, behind what `before` has, which is freed. */
  static take(bytes: number, before?: OutputBuffer): OutputBuffer {
    const length = before?.length ?? 0;
    const size = length + bytes <= smallBytes ? "small" : "large";
    const taken = kept[size].pop() ?? new OutputBuffer(size);
    taken.#free = false;
    if (before === undefined) return taken;
    before.bytes.copy(taken.bytes, 0, 0, length);
    taken.length = length;
    before.free();
    return taken;
  }

  private constructor(size: keyof typeof kept) {
    this.bytes = Buffer.allocUnsafeSlow(size === "small" ? smallBytes : largeBytes);
    this.#kept = kept[size];
  }

  get room(): number {
    return this.bytes.length - this.length;
  }

  /** It is as large as any. */
  get large(): boolean {
    return this.#kept === kept.large;
  }

  /** Its bytes are needed no more. Never twice to the pool: two connections must not write into the same one. */
  readonly free = (): void => {
    if (this.#free) return;
    this.#free = true;
    this.length = 0;
    if (this.#kept.length < maxKept) this.#kept.push(this);
  };
}
