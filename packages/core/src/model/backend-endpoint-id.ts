/** What an endpoint of a named backend is called among those of all: two backends may have the same. `id`: within its own. */
export function backendEndpointId(backend: string, id: string): string {
  return `${backend} ${id}`;
}

/** What it is called in its own backend: its URL, and the address where that does not say it. */
export function idInBackend(endpointId: string): string {
  return endpointId.slice(endpointId.indexOf(" ") + 1);
}
