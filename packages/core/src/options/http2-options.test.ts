import { expect, test } from "vitest";
import { http2Hole } from "./http2-options.ts";

test.each([
  ["v22.23.2", undefined],
  ["v24.18.1", undefined],
  ["v24.21.0", undefined],
  ["v26.5.1", undefined],
  ["v27.0.0", undefined],
  ["v22.23.1", "the HTTP/2 of Node.js v22.23.1 has known holes: update to 22.23.2 or later"],
  ["v24.9.0", "the HTTP/2 of Node.js v24.9.0 has known holes: update to 24.18.1 or later"],
  ["v25.9.0", "Node.js v25.9.0 gets no security fixes any more: update to 22, 24, 26 or later"],
])("HTTP/2 of %s: %s", (version, hole) => {
  expect(http2Hole(version)).toBe(hole);
});
