import { describe, expect, it } from "vitest";
import { type ProcessStart, workerEntry } from "./worker-entry.ts";

const start: ProcessStart = {
  argv: ["/usr/bin/node", "/srv/app.ts", "--verbose", "x"],
  execArgv: ["--import", "tsx"],
  cwd: "/srv",
  nodeOptions: undefined,
};

describe("worker entry", () => {
  it("is the primary's file, arguments, Node options and directory", () => {
    expect(workerEntry(start)).toEqual({
      file: "/srv/app.ts",
      args: ["--verbose", "x"],
      execArgv: ["--import", "tsx"],
      cwd: "/srv",
    });
  });

  it.each([
    [["--inspect"], ["--inspect", "--inspect-port=0"]],
    [["--inspect=0.0.0.0:9229"], ["--inspect=0.0.0.0:9229", "--inspect-port=0"]],
    [["--inspect-brk=9229"], ["--inspect=9229", "--inspect-port=0"]],
    [["--inspect-wait"], ["--inspect", "--inspect-port=0"]],
    [["--inspect-port=9300"], ["--inspect-port=9300", "--inspect-port=0"]],
  ])("moves the inspector of %j to a free port and never waits for it", (execArgv, expected) => {
    expect(workerEntry({ ...start, execArgv }).execArgv).toEqual(expected);
  });

  it("moves an inspector that came by NODE_OPTIONS, too", () => {
    const { execArgv } = workerEntry({ ...start, nodeOptions: "--enable-source-maps --inspect=9229" });
    expect(execArgv).toEqual(["--import", "tsx", "--inspect-port=0"]);
  });

  it.each([
    ["the REPL", { ...start, argv: ["/usr/bin/node"] }],
    ["standard input", { ...start, argv: ["/usr/bin/node", "-", "x"] }],
    ["node -e", { ...start, execArgv: ["-e", "code"] }],
    ["node --eval=", { ...start, execArgv: ["--eval=code"] }],
    ["node -p", { ...start, execArgv: ["-p", "code"] }],
  ])("does not exist for %s", (_, other) => {
    expect(() => workerEntry(other)).toThrow(expect.objectContaining({ code: "LB_NO_ENTRY" }));
  });
});
