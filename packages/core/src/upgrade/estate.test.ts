import { expect, test } from "vitest";
import type { ListenerSettings, ListenPlace } from "../options/listener-settings.ts";
import { type GroupSize, goingOn, handedAdmin, withHanded } from "./estate.ts";

const tcp = (port: number, host = "127.0.0.1"): ListenPlace => ({ kind: "tcp", host, port, ipv6Only: false });
const listener = (place: ListenPlace): ListenerSettings => ({ place, encrypted: false, proxied: false, remedy: "" });
const handed = (place: ListenPlace, fd: number, port = 80) => ({
  place,
  socket: { fd, address: { kind: "tcp", host: "127.0.0.1", port } as const },
});
const given = (places: readonly ListenPlace[], estate: ReturnType<typeof handed>[]) =>
  withHanded(places.map(listener), estate).map(({ handed: one }) => one?.fd);

test("a listener gets the socket that is open at its very place, wherever it stands in the options", () => {
  const unix: ListenPlace = { kind: "unix", path: "/run/a.sock", mode: 0o660 };
  expect(given([unix, tcp(443), tcp(80)], [handed(tcp(80), 4), handed(unix, 5)])).toEqual([5, undefined, 4]);
  expect(given([tcp(80, "0.0.0.0"), { ...tcp(80), ipv6Only: true } as ListenPlace], [handed(tcp(80), 4)])).toEqual([
    undefined,
    undefined,
  ]);
});

test("of several that the system chose ports for each gets one, in their order", () => {
  expect(given([tcp(0), tcp(0), tcp(0)], [handed(tcp(0), 4, 4_001), handed(tcp(0), 5, 4_002)])).toEqual([
    4,
    5,
    undefined,
  ]);
});

test("what another version wrote in another order is the same", () => {
  const reordered = { ipv6Only: false, port: 80, host: "127.0.0.1", kind: "tcp" } as ListenPlace;
  expect(given([tcp(80)], [handed(reordered, 4)])).toEqual([4]);
});

test("an admin listener at another place, or none, gets nothing", () => {
  const place = { kind: "tcp", host: "127.0.0.1", ports: [9_464, 9_465] } as const;
  const estate = { place, secrets: { session: "s", csrfToken: null }, socket: handed(tcp(0), 7).socket };
  const settings = { place } as unknown as Parameters<typeof handedAdmin>[0];
  expect(handedAdmin(settings, estate)).toBe(estate);
  expect(handedAdmin(false, estate)).toBeUndefined();
  expect(handedAdmin(settings, null)).toBeUndefined();
  expect(handedAdmin(settings, { ...estate, place: { ...place, ports: [9_464] } })).toBeUndefined();
});

test("a size that an operator or the load made goes on, until the settings say another", () => {
  const groups: GroupSize[] = [
    { backend: null, configured: 2, size: 6 },
    { backend: "api", configured: 4, size: 3 },
  ];
  expect(goingOn({ backend: undefined, instances: 2 }, groups)).toBe(6);
  expect(goingOn({ backend: undefined, instances: 4 }, groups)).toBe(4);
  expect(goingOn({ backend: "api", instances: 4 }, groups)).toBe(3);
  expect(goingOn({ backend: "new", instances: 1 }, groups)).toBe(1);
});
