import type { AccessRecord } from "../model/access-record.ts";
import { backendOf, idInBackend, isInstance } from "../model/backend-endpoint-id.ts";
import type { Endpoint } from "../model/endpoint.ts";

export type EndpointNames = Pick<AccessRecord, "instance" | "endpoint" | "backend">;

export const noEndpoint: EndpointNames = { instance: undefined, endpoint: undefined, backend: undefined };

/** Of instances the number, which operators know them by; of others the URL, or the directory. */
export function endpointNames({ id, slot }: Endpoint): EndpointNames {
  if (isInstance(id)) return { instance: slot + 1, endpoint: undefined, backend: undefined };
  const backend = backendOf(id);
  return { instance: undefined, backend, endpoint: backend === undefined ? id : idInBackend(id) };
}
