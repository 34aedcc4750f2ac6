/** A request that is held back. */
export interface Held<To> {
  readonly kind: "held";
  /** Calls when it may go on, never before this has returned; to be begun once. The call that is returned gives it up. */
  wait(released: (to: To) => void): () => void;
}

/** What is held back, and where it goes from there, which may be to be held back again. */
export function heldThen<From, To extends { readonly kind: string }>(
  held: Held<From>,
  next: (from: From) => To | Held<To>,
): Held<To> {
  return {
    kind: "held",
    wait(released) {
      let leave = held.wait((from) => {
        const to = next(from);
        if (isHeld(to)) leave = to.wait(released);
        else released(to);
      });
      return () => leave();
    },
  };
}

function isHeld<To extends { readonly kind: string }>(to: To | Held<To>): to is Held<To> {
  return to.kind === "held";
}
