import { expect, test } from "vitest";
import { OwnTraces } from "./own-traces.ts";

test("a program's stack is its own", () => {
  const traces = new OwnTraces("file:///srv/node_modules/@lb/core/dist/cli.js");
  const lines = [
    "node:diagnostics_channel:353",
    "        throw err;",
    "        ^",
    "",
    "Error: no database",
    "    at Object.<anonymous> (/srv/app.js:2:7)",
    "    at wrapModuleLoad (node:internal/modules/cjs/loader:253:26)",
    "    at node:diagnostics_channel:347:24",
    "    at TracingChannel.traceSync (node:diagnostics_channel:345:18)",
    "    at Immediate.<anonymous> (file:///srv/node_modules/@lb/core/dist/cli.js:77:3)",
    "",
    "Node.js v24.21.0",
  ];
  const shown = lines.filter((text) => !traces.isOne({ instance: 1, pid: 1, stream: "stderr", text }));
  expect(shown).toEqual([lines[4], lines[5], lines[6], "", lines[11]]);
  expect(traces.isOne({ instance: 1, pid: 1, stream: "stdout", text: "node:diagnostics_channel:353" })).toBe(false);
});
