/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.engines");

/** A server of Engine.IO, whose `clientsCount` is the number of its sessions in every version from 3 on. */
type Engine = object;

function engines(): Set<WeakRef<Engine>> {
  const shared = globalThis as { [key]?: Set<WeakRef<Engine>> };
  shared[key] ??= new Set();
  return shared[key];
}

/** This server has sessions, or is about to. */
export function noteEngine(engine: Engine): void {
  const known = engines();
  for (const each of known) {
    const one = each.deref();
    if (one === engine) return;
    if (one === undefined) known.delete(each);
  }
  known.add(new WeakRef(engine));
}

/** Sessions that live in this process now; undefined: it has had none. */
export function engineClients(): number | undefined {
  const known = engines();
  if (known.size === 0) return undefined;
  let clients = 0;
  for (const each of known) {
    const { clientsCount } = (each.deref() ?? {}) as { readonly clientsCount?: unknown };
    if (typeof clientsCount === "number" && clientsCount >= 0) clients += clientsCount;
  }
  return clients;
}
