import { EventEmitter } from "node:events";

/** Gets an event's argument. What it throws is an uncaught exception of its own; the cluster goes on regardless. */
export type Listener<Argument> = (argument: Argument) => void;

/**
 * Events under their names. They are delivered in order, but in a later microtask: a listener that throws or calls
 * back into the cluster then meets no half-done change of state.
 */
export class ClusterEvents<EventMap> {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  on<Name extends keyof EventMap & string>(name: Name, listener: Listener<EventMap[Name]>): void {
    this.#emitter.on(name, listener);
  }

  off<Name extends keyof EventMap & string>(name: Name, listener: Listener<EventMap[Name]>): void {
    this.#emitter.off(name, listener);
  }

  emit<Name extends keyof EventMap & string>(name: Name, argument: EventMap[Name]): void {
    queueMicrotask(() => this.#emitter.emit(name, argument));
  }
}
