import { GatewayError } from "../errors.ts";
import { isPromise } from "./after.ts";

/**
 * What a function of the options returns, perhaps later.
 *
 * @param what names the function
 * @throws GatewayError `LB_RULE`, or rejects with it, when the function throws or rejects
 */
export function resultOf<Value>(what: string, call: () => Value | PromiseLike<Value>): Value | PromiseLike<Value> {
  const failed = (cause: unknown): never => {
    // One of ours, of what the function asked us for, says by itself what is wrong.
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("LB_RULE", `${what} threw`, { cause });
  };
  try {
    const made = call();
    return isPromise(made) ? made.then((value) => value, failed) : made;
  } catch (cause) {
    return failed(cause);
  }
}

/**
 * Calls a function of the options that is told of something. What it throws is the app's to see, and holds nothing up here.
 */
export function tell(call: () => void): void {
  try {
    call();
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}
