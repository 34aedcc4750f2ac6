import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeAbandonedSocket } from "./abandoned-socket.ts";

function place() {
  const folder = mkdtempSync(join(tmpdir(), "lb-unix-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, path: join(folder, "a.sock") };
}

test("what a killed process left is removed, and nothing beside it", async () => {
  const { folder, path } = place();
  const killed = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", killed]);
  expect(existsSync(path)).toBe(true);
  await removeAbandonedSocket(path);
  expect(readdirSync(folder)).toEqual([]);
});

test("one at which somebody listens stays, and so does what is no socket, or is not there", async () => {
  const { folder, path } = place();
  const server = createServer().listen(path);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const file = join(folder, "file");
  writeFileSync(file, "mine");
  for (const one of [path, file, folder, join(folder, "nothing"), join(file, "below")])
    await removeAbandonedSocket(one);
  expect(readdirSync(folder).sort()).toEqual(["a.sock", "file"]);
});
