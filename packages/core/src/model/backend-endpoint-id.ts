/** What an endpoint of a named backend is called among those of all: two backends may have the same. `id`: within its own. */
export function backendEndpointId(backend: string, id: string): string {
  return `${backend} ${id}`;
}

/** Whether it is an instance of the app: a slot and its incarnation. Directories of files are none. */
export function isInstance(endpointId: string): boolean {
  return /^\d+\.\d+$/.test(endpointId);
}

/** The name of its backend. Undefined: it is no backend's, but an instance's or a directory's. */
export function backendOf(endpointId: string): string | undefined {
  return /^([\w-]+) /.exec(endpointId)?.[1];
}

/** What it is called in its own backend: its URL, and the address where that does not say it. */
export function idInBackend(endpointId: string): string {
  return endpointId.slice(endpointId.indexOf(" ") + 1);
}
