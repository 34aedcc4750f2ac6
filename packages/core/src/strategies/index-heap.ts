/**
 * A binary min-heap of the numbers 0…capacity-1, ordered by a key and then by a tie-breaker, that knows where each
 * number stands, so that a key can change in O(log n). Typed arrays and no allocation: this is a hot path.
 */
export class IndexHeap {
  readonly #keys: Float64Array;
  readonly #ties: Float64Array;
  readonly #heap: Int32Array;
  /** Position in `#heap`, -1 for a number that is not in it. */
  readonly #positions: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
    this.#ties = new Float64Array(capacity);
    this.#heap = new Int32Array(capacity);
    this.#positions = new Int32Array(capacity).fill(-1);
  }

  /** The first number, -1 when empty. */
  get top(): number {
    return this.#size === 0 ? -1 : this.#heap[0]!;
  }

  /** The key of the first number, Infinity when empty. */
  get topKey(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#keys[this.#heap[0]!]!;
  }

  has(id: number): boolean {
    return this.#positions[id] !== -1;
  }

  /** The tie-breaker last given for `id`, also after its removal; 0 if never given. */
  tieOf(id: number): number {
    return this.#ties[id]!;
  }

  /** Adds `id`, or moves it. */
  set(id: number, key: number, tie: number): void {
    this.#keys[id] = key;
    this.#ties[id] = tie;
    if (this.#positions[id] === -1) {
      this.#positions[id] = this.#size;
      this.#heap[this.#size] = id;
      this.#size += 1;
    }
    this.#settle(id);
  }

  setKey(id: number, key: number): void {
    this.#keys[id] = key;
    this.#settle(id);
  }

  setTie(id: number, tie: number): void {
    this.#ties[id] = tie;
    this.#settle(id);
  }

  /** Takes `id`, which must be in the heap, out of it. */
  remove(id: number): void {
    const position = this.#positions[id]!;
    this.#positions[id] = -1;
    this.#size -= 1;
    const last = this.#heap[this.#size]!;
    if (last === id) return;
    this.#heap[position] = last;
    this.#positions[last] = position;
    this.#settle(last);
  }

  /** The first number that is not rejected, -1 if there is none. Looks at no more than 2k+1 numbers to reject k. */
  firstExcept(rejected: (id: number) => boolean): number {
    return this.#firstBelow(0, rejected);
  }

  #firstBelow(position: number, rejected: (id: number) => boolean): number {
    if (position >= this.#size) return -1;
    const id = this.#heap[position]!;
    if (!rejected(id)) return id;
    const left = this.#firstBelow(2 * position + 1, rejected);
    const right = this.#firstBelow(2 * position + 2, rejected);
    if (left === -1) return right;
    return right === -1 || this.#before(left, right) ? left : right;
  }

  #before(a: number, b: number): boolean {
    const keyA = this.#keys[a]!;
    const keyB = this.#keys[b]!;
    return keyA < keyB || (keyA === keyB && this.#ties[a]! < this.#ties[b]!);
  }

  /** Restores the order after `id` alone changed. */
  #settle(id: number): void {
    const heap = this.#heap;
    const positions = this.#positions;
    let position = positions[id]!;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      const other = heap[parent]!;
      if (!this.#before(id, other)) break;
      heap[position] = other;
      positions[other] = position;
      position = parent;
    }
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#before(heap[child + 1]!, heap[child]!)) child += 1;
      const other = heap[child]!;
      if (!this.#before(other, id)) break;
      heap[position] = other;
      positions[other] = position;
      position = child;
    }
    heap[position] = id;
    positions[id] = position;
  }
}
