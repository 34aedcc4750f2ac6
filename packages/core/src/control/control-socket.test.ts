import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { ask } from "./control-client.ts";
import { controlVersion } from "./control-protocol.ts";
import { ControlServer } from "./control-server.ts";

let path: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "lb-cs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  path = join(folder, "s.sock");
});

/** How the command `much` ended. */
const over: string[] = [];

async function serve(): Promise<void> {
  over.length = 0;
  const server = new ControlServer(path, {
    echo: (argument, tell) => {
      void tell("first");
      return argument;
    },
    long: () => "x".repeat(2_000_000),
    much: async (_, tell, signal) => {
      for (let piece = 0; piece < 64 && !signal.aborted; piece++) await tell("x".repeat(262_144));
      over.push(signal.aborted ? "left" : "told");
    },
    wait: () => new Promise(() => {}),
  });
  await server.listen();
  onTestFinished(() => server.close());
}

/** What somebody who is no primary says there. */
async function impostor(says: string): Promise<void> {
  const server = createServer((socket) => socket.on("error", () => {}).end(says)).listen(path);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
}

test("answers what it is asked, on a socket that is its user's alone", async () => {
  await serve();
  const told: unknown[] = [];
  expect(await ask({ path, command: "echo", argument: { n: 1 }, told: (event) => told.push(event) })).toEqual({ n: 1 });
  expect(told).toEqual(["first"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await expect(ask({ path, command: "toString" })).rejects.toMatchObject({ code: "LB_CONTROL_REQUEST" });
});

test("answers with megabytes, in one line or in many: whoever tells much waits for who reads", async () => {
  await serve();
  expect(await ask({ path, command: "long" })).toHaveLength(2_000_000);
  let characters = 0;
  const told = (piece: unknown) => {
    characters += (piece as string).length;
  };
  await ask({ path, command: "much", told });
  expect([characters, over]).toEqual([16_777_216, ["told"]]);
});

test("who leaves, or reads nothing and goes, is waited for no longer", async () => {
  await serve();
  const leaves = new AbortController();
  const asked = ask({ path, command: "much", told: () => leaves.abort(), signal: leaves.signal });
  await expect(asked).rejects.toMatchObject({ code: "LB_CONTROL_LOST" });
  const silent = connect(path);
  silent.write(`${JSON.stringify({ version: controlVersion, command: "much" })}\n`);
  await new Promise((begun) => silent.once("readable", begun));
  silent.destroy();
  await expect.poll(() => over).toEqual(["left", "left"]);
});

test("a file that somebody takes away at once is an error, and not the end of the process", async () => {
  const server = new ControlServer(path, {});
  const listening = server.listen();
  rmSync(path);
  await expect(listening).rejects.toMatchObject({ code: "ENOENT" });
});

test("a primary that says nothing is not waited for where it should answer at once", async () => {
  await serve();
  await expect(ask({ path, command: "wait", timeoutMs: 50 })).rejects.toMatchObject({ code: "LB_CONTROL_TIMEOUT" });
});

test("keeps nothing of what comes behind a request", async () => {
  await serve();
  const before = bytesInUse();
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  socket.write(`${JSON.stringify({ version: controlVersion, command: "wait" })}\n`);
  const flood = Buffer.alloc(1_048_576, "x");
  for (let n = 0; n < 200; n += 1) await new Promise((resolve) => socket.write(flood, resolve));
  expect(bytesInUse() - before).toBeLessThan(100 * 1_048_576);
});

/** What is really in use, and not merely not yet collected. */
function bytesInUse(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test.each([
  ["no JSON", "hello\n"],
  ["no reply", "7\n"],
  ["an error that is none", '{"error":7}\n'],
  ["a line without end", "x".repeat(17_000_000)],
])("whoever answers %s is no primary", async (_, says) => {
  await impostor(says);
  await expect(ask({ path, command: "status" })).rejects.toMatchObject({ code: "LB_CONTROL_LOST" });
});
