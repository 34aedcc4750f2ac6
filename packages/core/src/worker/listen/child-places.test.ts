import { expect, it } from "vitest";
import { childPlaces, childVariables, withHook } from "./child-places.ts";

const places = { appPorts: [3000, 3001], host: "127.0.0.1", port: 3001 };

it("are read as they were written", () => {
  expect(childPlaces(childVariables(places))).toEqual(places);
});

it("are nothing in any other environment", () => {
  for (const text of [undefined, "", "{}", "null", '{"appPorts":1}', "no JSON"]) {
    expect(childPlaces(text === undefined ? {} : { LB_CHILD_PORTS: text })).toBeUndefined();
  }
});

it("the hook is added to what Node is told already, whatever its path", () => {
  const options = withHook('/a folder/with "quotes"/hook.cjs', "--max-old-space-size=100");
  expect(options).toBe('--max-old-space-size=100 --require "/a folder/with \\"quotes\\"/hook.cjs"');
});
