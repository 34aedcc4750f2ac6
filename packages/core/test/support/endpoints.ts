import type { Endpoint } from "../../src/model/endpoint.ts";

/** Endpoints in slots 0, 1, 2, …, whose id is their slot. */
export function endpointsInSlots(count: number, { incarnation = 1 }: { incarnation?: number } = {}): Endpoint[] {
  return Array.from({ length: count }, (_, slot) => {
    const address = { kind: "tcp", host: "127.0.0.1", port: 3000 + slot } as const;
    return Object.freeze({ id: `${slot}`, slot, incarnation, weight: 1, address });
  });
}
