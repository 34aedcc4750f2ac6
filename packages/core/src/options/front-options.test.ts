import { expect, test } from "vitest";
import { frontEntries, frontSettings } from "./front-options.ts";
import type { InFlightOption } from "./in-flight-options.ts";
import { options, parseOptions } from "./validation.ts";

const parse = (input: unknown) => frontSettings(parseOptions(options(frontEntries), input, ""));

test("without options: nobody is trusted, any origin may open a WebSocket, connections stay below the descriptor limit", () => {
  const settings = parse({});
  expect(settings.trustsPeer("127.0.0.1")).toBe(false);
  expect(settings.allowedOrigins).toBeUndefined();
  expect(settings.retry.attempts).toBe(3);
  expect(settings.limits.maxConnections).toBeGreaterThan(0);
});

test("trusted proxies: addresses, ranges and names of ranges, and nothing that merely looks like them", () => {
  const { trustsPeer } = parse({ trustedProxies: ["loopback", "10.0.0.0/8", "203.0.113.7", "2001:db8::/32"] });
  for (const address of [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "10.1.2.3",
    "203.0.113.7",
    "2001:db8::5",
    "::ffff:10.0.0.1",
  ]) {
    expect(trustsPeer(address), address).toBe(true);
  }
  for (const address of [
    "11.0.0.1",
    "203.0.113.70",
    "2001:db9::1",
    "192.168.0.1",
    "",
    "10.0.0.1.evil",
    "::ffff:11.0.0.1",
  ]) {
    expect(trustsPeer(address), address).toBe(false);
  }
});

test("requests in flight: a number, or found out within bounds", () => {
  const of = (maxRequestsInFlight: InFlightOption) => parse({ limits: { maxRequestsInFlight } }).limits;
  expect(parse({}).limits.maxRequestsInFlight).toBeUndefined();
  expect(of(5).maxRequestsInFlight).toBe(5);
  expect(of("adaptive").maxRequestsInFlight).toEqual({ min: 1, max: 1_000, initial: 20, tolerance: 1.5 });
  expect(of({ max: 10 }).maxRequestsInFlight).toEqual({ min: 1, max: 10, initial: 10, tolerance: 1.5 });
  expect(of({ min: 80 }).maxRequestsInFlight).toMatchObject({ initial: 80 });
});

test("retry: false is one attempt", () => {
  expect(parse({ retry: false }).retry.attempts).toBe(1);
});

test.for([
  [{ timeouts: { headersMs: 0 } }, "timeouts.headersMs"],
  [{ timeouts: { header: 5 } }, "timeouts.header"],
  [{ limits: { maxHeaders: -1 } }, "limits.maxHeaders"],
  [{ limits: { maxConnections: 0 } }, "limits.maxConnections"],
  [{ limits: { maxRequestsInFlight: 0 } }, "limits.maxRequestsInFlight"],
  [{ limits: { maxRequestsInFlight: "auto" } }, "limits.maxRequestsInFlight"],
  [{ limits: { maxRequestsInFlight: { min: 5, max: 4 } } }, "limits.maxRequestsInFlight"],
  [{ limits: { maxRequestsInFlight: { tolerance: 1 } } }, "limits.maxRequestsInFlight.tolerance"],
  [{ limits: { maxRequestsInFlight: { most: 4 } } }, "limits.maxRequestsInFlight.most"],
  [{ retry: { on: ["502"] } }, "retry.on[0]"],
  [{ retry: true }, "retry"],
  [{ trustedProxies: ["10.0.0.0/33"] }, "trustedProxies[0]"],
  [{ trustedProxies: "loopback" }, "trustedProxies"],
  [{ allowedOrigins: ["https://app.example/path"] }, "allowedOrigins[0]"],
  [{ allowedHosts: ["https://app.example"] }, "allowedHosts[0]"],
  [{ allowedHosts: ["app.example:80"] }, "allowedHosts[0]"],
  [{ allowedOrigins: ["app.example"] }, "allowedOrigins[0]"],
] as const)("%o is refused, naming %s", ([input, option]) => {
  expect(() => parse(input)).toThrow(expect.objectContaining({ code: "LB_OPTION", option }));
});
