/**
 * Makes the call that begins something which takes turns with others, and which nobody awaits: while one is waiting for its turn
 * already, that one will do. `begin` is given what it has to call when its turn has come.
 */
export function oneWaiting(begin: (began: () => void) => Promise<unknown>): () => void {
  let waits = false;
  const begun = () => {
    waits = false;
  };
  return () => {
    if (waits) return;
    waits = true;
    // Its progress tells of it.
    begin(begun).catch(begun);
  };
}
