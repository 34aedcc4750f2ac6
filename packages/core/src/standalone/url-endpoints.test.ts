import { describe, expect, it } from "vitest";
import { OptionError } from "../model/errors.ts";
import { type UrlEndpointInput, UrlEndpoints } from "./url-endpoints.ts";

const list = (...input: UrlEndpointInput[]) => new UrlEndpoints().replace(input);

function refusal(...input: unknown[]): string {
  try {
    list(...(input as UrlEndpointInput[]));
  } catch (error) {
    if (error instanceof OptionError) return `${error.option}: ${error.message.replace(/^Option ".*?" is /, "")}`;
    throw error;
  }
  return "accepted";
}

describe("UrlEndpoints", () => {
  it.each([
    ["http://10.0.0.1:3000", "http://10.0.0.1:3000", { kind: "tcp", host: "10.0.0.1", port: 3000 }],
    ["HTTP://Backend.Example/", "http://backend.example", { kind: "tcp", host: "backend.example", port: 80 }],
    ["https://backend.example", "https://backend.example", { kind: "tcp", host: "backend.example", port: 443 }],
    ["http://[::1]:8080", "http://[::1]:8080", { kind: "tcp", host: "::1", port: 8080 }],
    [new URL("http://a:81"), "http://a:81", { kind: "tcp", host: "a", port: 81 }],
    ["unix:/run/app.sock", "unix:/run/app.sock", { kind: "unix", path: "/run/app.sock" }],
  ])("reads %s", (input, url, address) => {
    expect(list(input)).toEqual([{ id: url, url, address, basePath: "", weight: 1, slot: 0, incarnation: 1 }]);
  });

  it("tells the path in which an endpoint's begin", () => {
    const [one, other] = list("http://a:81/v1/", "http://a:81/v2/x%2Fy");
    expect(one).toMatchObject({ url: "http://a:81/v1", basePath: "/v1", address: { host: "a", port: 81 } });
    expect(other).toMatchObject({ url: "http://a:81/v2/x%2Fy", basePath: "/v2/x%2Fy" });
  });

  it("takes weights", () => {
    expect(list({ url: "http://a", weight: 2.5 }, { url: "http://b" }).map(({ weight }) => weight)).toEqual([2.5, 1]);
  });

  it.each([
    ["10.0.0.1:3000", /^endpoints\[0\]: "10.0.0.1:3000": give an origin such as/],
    ["ftp://a", /give an origin/],
    ["", /give an origin/],
    ["http://a?x=1", /leave out the query/],
    ["http://a/#x", /leave out the query/],
    ["http://me:secret@a", /^endpoints\[0\]: "http:\/\/\*\*\*@a": leave user and password out/],
    ["unix:app.sock", /absolute path/],
    [{ url: "nonsense" }, /^endpoints\[0\]\.url: "nonsense": give an origin/],
    [{ url: "http://a", weight: 0 }, /^endpoints\[0\]\.weight: 0: give a number greater than 0/],
    [{ url: "http://a", wieght: 1 }, /^endpoints\[0\]\.wieght: a number: .*did you mean "weight"/],
    [{}, /^endpoints\[0\]\.url: undefined: it is required/],
    [null, /^endpoints\[0\]: null: give an object of options/],
  ])("refuses %j", (input, expected) => {
    expect(refusal(input)).toMatch(expected);
  });

  it("refuses what is listed twice, however it is written", () => {
    expect(refusal("http://a", { url: "http://A:80/", weight: 3 })).toBe(
      'endpoints[1]: "http://a": it is listed twice',
    );
  });

  it("keeps the endpoint and the slot of a URL that stays, and fills free slots first", () => {
    const endpoints = new UrlEndpoints();
    const [a, b, c] = endpoints.replace(["http://a", "http://b", "http://c"]);
    const [c2, d, b2, e] = endpoints.replace(["http://c", "http://d", "http://b", "http://e"]);
    expect([b2, c2]).toEqual([b, c]);
    expect(b2 === b && c2 === c).toBe(true);
    expect([d?.slot, d?.incarnation, e?.slot, e?.incarnation]).toEqual([0, 2, 3, 1]);
    expect(endpoints.find("http://a")).toBeUndefined();
    const [a2] = endpoints.replace(["http://a"]);
    expect(a2).toMatchObject({ id: a?.id, slot: 0, incarnation: 3 });
  });

  it("makes another endpoint in the same slot when the weight changes", () => {
    const endpoints = new UrlEndpoints();
    const [, b] = endpoints.replace(["http://a", "http://b"]);
    const [, heavier] = endpoints.replace(["http://a", { url: "http://b", weight: 2 }]);
    expect(heavier).toEqual({ ...b, weight: 2, incarnation: 2 });
  });

  it("changes nothing when it refuses", () => {
    const endpoints = new UrlEndpoints();
    const [a] = endpoints.replace(["http://a"]);
    expect(() => endpoints.replace(["http://b", "oops"])).toThrow(OptionError);
    expect(endpoints.find("http://a")).toBe(a);
    expect(endpoints.find("http://b")).toBeUndefined();
  });
});
