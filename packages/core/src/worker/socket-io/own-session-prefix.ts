/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.sessionPrefix");
const shared = globalThis as { [key]?: string | undefined };

/** What the Engine.IO session ids of this worker have to begin with, if the primary routes by them. */
export function sessionPrefix(): string | undefined {
  return shared[key];
}

export function noteSessionPrefix(prefix: string | undefined): void {
  shared[key] = prefix;
}
