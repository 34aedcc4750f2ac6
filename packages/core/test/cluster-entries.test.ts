import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { httpGetJson } from "./support/http-get.ts";
import { startPrimary } from "./support/primary-process.ts";

const entries = resolve(import.meta.dirname, "fixtures/entries");

describe("workers start as the primary was started", () => {
  it.each([
    { entry: "app.mjs", execArgv: [] },
    { entry: "app.cjs", execArgv: [] },
    { entry: "app.ts", execArgv: [] },
    { entry: "app.ts", execArgv: ["--import", "tsx"] },
    { entry: "app.cjs", execArgv: ["--stack-trace-limit=20", "--no-deprecation"] },
  ])("$entry with $execArgv", async ({ entry, execArgv }) => {
    const args = ["--verbose", "an argument"];
    const { primary, up } = await startPrimary(`entries/${entry}`, { execArgv, args, cwd: entries });
    expect(await httpGetJson(up.url)).toEqual({ argv: [resolve(entries, entry), ...args], execArgv, cwd: entries });
    primary.kill("SIGTERM");
    expect(await primary.exited).toEqual({ code: 0, signal: null });
  });

  it("with an inspector: each on a port of its own", async () => {
    const { primary, up } = await startPrimary("entries/app.mjs", { execArgv: ["--inspect=127.0.0.1:0"] });
    expect(up.instances.map(({ state }) => state)).toEqual(["ready", "ready"]);
    const listening = [...primary.stderr.matchAll(/Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/g)];
    expect(new Set(listening.map(([, port]) => port)).size).toBe(3);
  });
});

describe("without a file to start workers from", () => {
  const program = `import { cluster } from ${JSON.stringify(resolve(import.meta.dirname, "../src/index.ts"))};
    await cluster({ instances: 1, port: 0 }, () => () => {}).catch(({ code }) => console.log(code));`;

  it.each([
    ["node -e", ["--input-type=module", "-e", program], ""],
    ["standard input", ["--input-type=module", "-"], program],
  ])("%s gets a clear error", async (_, args, input) => {
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    child.stdin.end(input);
    let output = "";
    for await (const chunk of child.stdout) output += chunk;
    expect(output).toBe("LB_NO_ENTRY\n");
  });
});
