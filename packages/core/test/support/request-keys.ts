import type { Endpoint } from "../../src/model/endpoint.ts";
import type { RequestView } from "../../src/model/request-view.ts";
import type { Picker } from "../../src/strategies/strategy.ts";

/** Requests of `count` different client addresses. */
export function clients(count: number): RequestView[] {
  return Array.from({ length: count }, (_, at) => ({ clientAddress: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}` }));
}

/** The slot that each request goes to. */
export function slotsOf(picker: Picker, requests: readonly RequestView[], exclude?: ReadonlySet<Endpoint>): number[] {
  return requests.map((request) => picker.pick(request, exclude).endpoint.slot);
}
