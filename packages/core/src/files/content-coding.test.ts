import { expect, it } from "vitest";
import { acceptedCodings } from "./content-coding.ts";

it.each([
  [undefined, []],
  ["", []],
  ["gzip", ["gzip"]],
  ["gzip, deflate, br, zstd", ["br", "zstd", "gzip"]],
  ["GZIP , Br", ["br", "gzip"]],
  ["br;q=0.5, gzip", ["gzip", "br"]],
  ["br;q=0, gzip;q=0.001", ["gzip"]],
  ["*", ["br", "zstd", "gzip"]],
  ["*;q=0.1, zstd", ["zstd", "br", "gzip"]],
  ["*, br;q=0", ["zstd", "gzip"]],
  ["x-gzip", ["gzip"]],
  ["identity", []],
  ["identity, gzip;q=0.5", []],
  ["identity;q=0.5, gzip;q=0.5", ["gzip"]],
  ["gzip;q=2", []],
  ["gzip;q=0.1234", []],
  ["gzip; q=0.5 ;", []],
  ["gzip;q", []],
  [";,,=,", []],
])("%s takes %o", (acceptEncoding, names) => {
  expect(acceptedCodings(acceptEncoding).map(({ name }) => name)).toEqual(names);
});

it("remembers what is asked for again, within bounds", () => {
  expect(acceptedCodings("gzip, br")).toBe(acceptedCodings("gzip, br"));
  for (let index = 0; index < 10_000; index++) acceptedCodings(`gzip, x-${index}`);
  expect(acceptedCodings("gzip, x-1").map(({ name }) => name)).toEqual(["gzip"]);
});
