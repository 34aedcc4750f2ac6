import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { commandLine, filled } from "./command-line.ts";

const places = { port: 3001, host: "127.0.0.1", instance: 2 };
const line = (command: string | readonly string[]) => commandLine(command, places);

describe("a command", () => {
  it.each([
    ["uvicorn app:app --port {port}", "exec uvicorn app:app --port 3001"],
    ["  php -S '{host}:{port}' \"my index.php\" ", "exec php -S '127.0.0.1:3001' \"my index.php\""],
    ["exec ./server", "exec ./server"],
    ["./server > /dev/null", "exec ./server > /dev/null"],
  ])("%s is one program: the shell makes way for it", (command, run) => {
    expect(line(command)).toMatchObject({ file: "/bin/sh", args: ["-c", run], throughShell: false });
  });

  it.each([
    "cd api && uvicorn app:app",
    "./prepare; exec ./server",
    "./server | logger",
    "(./server)",
    "WORKERS=2 ./server",
    "./server 2>&1",
    "./a\n./b",
    "exec ./a; ./b",
  ])("%s leaves a shell between", (command) => {
    expect(line(command)).toMatchObject({ args: ["-c", command], throughShell: true });
  });

  it("is shown by its first word alone: among the others there may be secrets", () => {
    expect(line("./server --token secret").shown).toBe("./server");
    expect(line("TOKEN=secret ./server").shown).toBe("/bin/sh -c …");
    expect(line(["./server", "--token", "secret"]).shown).toBe("./server");
  });

  it("of words is run as it is, whatever is in them", () => {
    const words = ["/bin/echo", "$HOME; {port}", "{instance}", "{}", "{other}"];
    const { file, args, throughShell } = line(words);
    expect([file, args, throughShell]).toEqual(["/bin/echo", ["$HOME; 3001", "2", "{}", "{other}"], false]);
    expect(execFileSync(file, args, { encoding: "utf8" })).toBe("$HOME; 3001 2 {} {other}\n");
  });

  it("means what a shell makes of it", () => {
    const { file, args } = line(`printf '%s|' "a b" c\\ d "$GREETING" {port}`);
    expect(execFileSync(file, args, { encoding: "utf8", env: { GREETING: "hello" } })).toBe("a b|c d|hello|3001|");
  });
});

it("fills in what stands in braces, as often as it stands there", () => {
  expect(filled("{host}:{port} {port} {instance} {Port}", places)).toBe("127.0.0.1:3001 3001 2 {Port}");
});
