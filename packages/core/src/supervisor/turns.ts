/** Runs operations one after the other, in the order in which they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Operations that have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

  take<T>(operation: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const turn = this.#last.then(() => {
      this.#waiting -= 1;
      return operation();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
