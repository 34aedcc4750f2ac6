// `lb start` around an ordinary Socket.IO program: one line more, as ESM and as CommonJS, with what npm gets to see.
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { connectToEach } from "./support/socket-client.ts";

const cli = resolve(import.meta.dirname, "../../core/dist/cli.js");
const fixtures = resolve(import.meta.dirname, "fixtures");

async function start(program: string, ...args: string[]): Promise<{ url: string; child: ChildProcess }> {
  const given = [cli, "start", resolve(fixtures, program), "-p", "0", "-i", "2", "--affinity", "socket.io", ...args];
  const child = spawn(process.execPath, given, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const exited = new Promise((done) => child.once("exit", done));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  const url = await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(said);
      return /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
    },
    { what: "a cluster that listens" },
  );
  return { url, child };
}

test.each([
  ["unmodified.mjs", "proxy"],
  ["unmodified.cjs", "handoff"],
])("%s in %s mode: polling stays where it began, and events reach everybody", async (program, mode) => {
  const { url } = await start(program, "--mode", mode);
  const clients = await connectToEach(url, 2, { transport: "polling" });
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  for (const client of clients) {
    client.socket.emit("say", `from ${client.instance}`);
    await expect
      .poll(() => clients.map(({ received }) => received.at(-1)))
      .toEqual(clients.map(() => ["said", `from ${client.instance}`]));
  }
  expect(clients.flatMap(({ losses }) => losses)).toEqual([]);
});
