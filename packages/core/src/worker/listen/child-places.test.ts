import { expect, it } from "vitest";
import { childPlaces, childVariables } from "./child-places.ts";

const places = { appPorts: [3000, 3001], host: "127.0.0.1", port: 3001 };

it("are read as they were written", () => {
  expect(childPlaces(childVariables(places, "/hook.cjs"))).toEqual(places);
});

it("are nothing in any other environment", () => {
  for (const text of [undefined, "", "{}", "null", '{"appPorts":1}', "no JSON"]) {
    expect(childPlaces(text === undefined ? {} : { LB_CHILD_PORTS: text })).toBeUndefined();
  }
});

it("the hook is added to what Node is told already, whatever its path", () => {
  const { NODE_OPTIONS } = childVariables(places, '/a folder/with "quotes"/hook.cjs', "--max-old-space-size=100");
  expect(NODE_OPTIONS).toBe('--max-old-space-size=100 --require "/a folder/with \\"quotes\\"/hook.cjs"');
});
