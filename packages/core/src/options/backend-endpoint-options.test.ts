import { expect, test } from "vitest";
import { endpointsSettings } from "./backend-endpoint-options.ts";

function entriesOf(...input: unknown[]) {
  const settings = endpointsSettings(input, "backends.api.endpoints");
  if (settings.kind !== "list") throw new Error("it is a list");
  return settings.entries;
}

test("addresses, names and services are told apart", () => {
  const shared = { weight: 1, zone: undefined, basePath: "" };
  const tcp = (host: string, port: number) => ({ kind: "tcp", host, port });
  expect(
    entriesOf(
      "http://10.0.0.1:3000",
      new URL("https://[2001:DB8::1]"),
      "unix:/run/app.sock",
      "http://LOCALHOST:81",
      { url: "https://api.internal", weight: 2, zone: "a" },
      "srv+http://_api._tcp.Example.com.",
      "SRV+https://_api._tcp.example.com",
      "http://10.0.0.1:3000/base/",
      "http://api.internal/a/b",
    ),
  ).toEqual([
    { ...shared, kind: "address", url: "http://10.0.0.1:3000", secure: false, address: tcp("10.0.0.1", 3000) },
    { ...shared, kind: "address", url: "https://[2001:db8::1]", secure: true, address: tcp("2001:db8::1", 443) },
    {
      ...shared,
      kind: "address",
      url: "unix:/run/app.sock",
      secure: false,
      address: { kind: "unix", path: "/run/app.sock" },
    },
    { ...shared, kind: "address", url: "http://localhost:81", secure: false, address: tcp("localhost", 81) },
    {
      ...shared,
      weight: 2,
      zone: "a",
      kind: "name",
      url: "https://api.internal",
      secure: true,
      host: "api.internal",
      port: 443,
    },
    {
      ...shared,
      kind: "service",
      url: "srv+http://_api._tcp.example.com",
      secure: false,
      service: "_api._tcp.example.com",
    },
    {
      ...shared,
      kind: "service",
      url: "srv+https://_api._tcp.example.com",
      secure: true,
      service: "_api._tcp.example.com",
    },
    {
      ...shared,
      kind: "address",
      url: "http://10.0.0.1:3000/base",
      basePath: "/base",
      secure: false,
      address: tcp("10.0.0.1", 3000),
    },
    {
      ...shared,
      kind: "name",
      url: "http://api.internal/a/b",
      basePath: "/a/b",
      secure: false,
      host: "api.internal",
      port: 80,
    },
  ]);
});

test.each([
  ["no list", "nonsense", /^Option "at" is "nonsense": give a list, e\.g\./],
  ["credentials", ["http://me:secret@a"], /^Option "at\[0\]" is "http:\/\/\*\*\*@a": leave user and password out/],
  ["a service with a port", ["srv+http://_api._tcp.a:80"], /name of SRV records alone/],
  ["a service that is a name", ["srv+http://a"], /name of SRV records alone/],
  ["one twice", ["http://a", { url: "http://A:80/" }], /^Option "at\[1\]" is "http:\/\/a": it is listed twice/],
  ["too many", Array.from({ length: 257 }, (_, n) => `http://a${n}`), /^Option "at" is 257: list 256 at most/],
  ["a zone that is none", [{ url: "http://a", zone: "" }], /^Option "at\[0\]\.zone" is "": give a name/],
])("BAD-INPUTS 190: %s is refused", (_, input, expected) => {
  expect(() => endpointsSettings(input, "at")).toThrow(expected);
});

test("what a function tells is judged when it does", () => {
  const settings = endpointsSettings(() => [], "at");
  if (settings.kind !== "function") throw new Error("it is a function");
  expect(settings.read(["http://a:1"])).toMatchObject([{ kind: "name", host: "a", port: 1 }]);
  expect(() => settings.read([1])).toThrow('Option "at[0]" is 1: give an object of options');
});
