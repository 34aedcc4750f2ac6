import { expect, it } from "vitest";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { parseIpcAdapterOptions } from "./ipc-adapter-options.ts";

const clock = new ManualClock();

it("fills in what is left out", () => {
  expect(parseIpcAdapterOptions({ recovery: { maxEntries: 5 } }, clock)).toEqual({
    name: "socket.io",
    requestTimeoutMs: 5_000,
    retention: { maxEntries: 5, maxBytes: 16_777_216 },
    onError: expect.any(Function),
  });
});

it.each([
  [{ requestTimeoutMs: "soon" }, 'Option "requestTimeoutMs" is "soon": give milliseconds of at least 1'],
  [{ recovery: { maxBytes: 0 } }, 'Option "recovery.maxBytes" is 0: give a whole number from 1 to 32505856'],
  [
    { requestTimeout: 1 },
    'Option "requestTimeout" is a number: there is no such option; did you mean "requestTimeoutMs"?',
  ],
  [{ onError: true }, 'Option "onError" is true: give a function'],
  [7, 'Option "options" is 7: give an object of options'],
])("refuses %j, and says what to do", (options, message) => {
  expect(() => parseIpcAdapterOptions(options, clock)).toThrow(expect.objectContaining({ code: "LB_OPTION", message }));
});
