/**
 * Calls `next` with a value: at once where it is there, which most are, since a promise would cost the request a turn of
 * the event loop.
 */
export function after<Value, Made>(
  value: Value | PromiseLike<Value>,
  next: (value: Value) => Made | PromiseLike<Made>,
): Made | PromiseLike<Made> {
  return isPromise(value) ? value.then(next) : next(value);
}

export function isPromise<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof (value as PromiseLike<Value> | null | undefined)?.then === "function";
}
