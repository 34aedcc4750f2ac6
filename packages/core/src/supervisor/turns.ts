/** Runs operations one after the other, in the order in which they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed: Error | undefined;

  /** Operations that have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

  async take<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw this.#closed;
    this.#waiting += 1;
    const turn = this.#last.then(() => {
      this.#waiting -= 1;
      if (this.#closed !== undefined) throw this.#closed;
      return operation();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Operations that have not begun, and those that come now, reject with this error. */
  close(error: Error): void {
    this.#closed = error;
  }
}
