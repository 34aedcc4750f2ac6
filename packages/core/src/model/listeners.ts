/** Those who want to hear of something, in the order in which they asked. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Returns the call that ends the subscription. */
  add(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Tells everybody of everything, then throws what was thrown on the way. Emitters call this last, when their own
   * state is consistent, so that a listener that throws harms nobody but whoever caused the event.
   */
  emit(events: readonly Event[]): void {
    const errors: unknown[] = [];
    for (const event of events) {
      for (const listener of this.#listeners) {
        try {
          listener(event);
        } catch (error) {
          errors.push(error);
        }
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} listeners threw`);
  }
}
