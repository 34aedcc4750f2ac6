/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.sessions");

interface Notice {
  noted: boolean;
  readonly listeners: Set<() => void>;
}

function notice(): Notice {
  const shared = globalThis as { [key]?: Notice };
  shared[key] ??= { noted: false, listeners: new Set() };
  return shared[key];
}

/** This process has Engine.IO, and may hold sessions that nobody else can serve. */
export function noteSessions(): void {
  const shared = notice();
  if (shared.noted) return;
  shared.noted = true;
  for (const listener of shared.listeners) listener();
  shared.listeners.clear();
}

/** Calls `listener` once, at once if it is so already. */
export function onSessions(listener: () => void): void {
  const shared = notice();
  if (shared.noted) listener();
  else shared.listeners.add(listener);
}
