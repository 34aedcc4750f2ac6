import { WriteStream } from "node:tty";
import { expect, test } from "vitest";
import { colourEnvironment } from "./output-writer.ts";

const terminal: WriteStream = Object.assign(Object.create(WriteStream.prototype), { isTTY: true });
const file: WriteStream = Object.assign(Object.create(WriteStream.prototype), { isTTY: false });

test.each([
  ["16 colours", { TERM: "xterm" }, terminal, { FORCE_COLOR: "1" }],
  ["256 colours", { TERM: "xterm-256color" }, terminal, { FORCE_COLOR: "2" }],
  ["all of them", { TERM: "xterm", COLORTERM: "truecolor" }, terminal, { FORCE_COLOR: "3" }],
  ["none, as the terminal has none", { TERM: "dumb" }, terminal, {}],
  ["none, as it goes to a file", { TERM: "xterm" }, file, {}],
  ["what the user has said", { TERM: "xterm", NO_COLOR: "1" }, terminal, {}],
  ["what the user has said of it", { TERM: "xterm", FORCE_COLOR: "0" }, terminal, {}],
])("a program that lb shows may have %s", (_, env, stream, added) => {
  expect(colourEnvironment(stream, env)).toEqual(added);
});
