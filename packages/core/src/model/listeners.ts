/**
 * Those who want to hear of something, in the order in which they asked. What a listener throws reaches whoever caused
 * the event, so emitters call this last, when their own state is consistent.
 */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Returns the call that ends the subscription. */
  add(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: Event): void {
    for (const listener of this.#listeners) listener(event);
  }
}
