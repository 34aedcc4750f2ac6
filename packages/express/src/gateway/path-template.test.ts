import { describe, expect, it } from "vitest";
import { pathTemplate, templatePattern } from "./path-template.ts";

describe("pathTemplate", () => {
  it.each([
    ["/", {}, ""],
    ["/v2/", {}, "/v2"],
    ["/users/:id/files", { id: "7" }, "/users/7/files"],
    ["/:a-:b", { a: "x", b: "y" }, "/x-y"],
    ["/:0", { 0: "x" }, "/x"],
    // What a framework has decoded is encoded again, so that it stays one segment.
    ["/users/:id", { id: "a/b?c#d %é" }, "/users/a%2Fb%3Fc%23d%20%25%C3%A9"],
    ["/:rest", { rest: ["a", "b/c"] }, "/a/b%2Fc"],
    ["/:id", { id: "..." }, "/..."],
  ])("%s with %j: %s", (template, parameters, path) => {
    expect(pathTemplate(template)(parameters)).toBe(path);
  });

  it("refuses a parameter that leads out of its place (BAD-INPUTS 57)", () => {
    for (const id of [".", "..", ["a", ".."]]) {
      expect(() => pathTemplate("/users/:id")({ id })).toThrow(expect.objectContaining({ code: "LB_REQUEST_INVALID" }));
    }
  });

  it("says which parameter the route does not have", () => {
    for (const parameters of [{}, { id: undefined }, Object.create({ id: "x" })]) {
      expect(() => pathTemplate("/users/:id")(parameters)).toThrow(/"id", which the route does not have/);
    }
  });

  it.each([
    ["/v2", true],
    ["/a%20b", true],
    ["//v2", false],
    ["v2", false],
    ["/a b", false],
    ["/a?b", false],
    ["/a#b", false],
    ["/é", false],
  ])("%s is one: %s", (template, isOne) => {
    expect(templatePattern.test(template)).toBe(isOne);
  });
});
