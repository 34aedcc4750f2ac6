// What a canary is judged by, in both modes: its answers, whatever they are, and how long they take to come.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type OperationError, PrimaryProcess } from "./support/primary-process.ts";

const canary = { share: 0.4, forMs: 700, minRequests: 8 };

/** A request every few milliseconds, whether or not those before it were answered. */
function steadyRequests(port: number): () => void {
  const open = new Set<ReturnType<typeof request>>();
  const timer = setInterval(() => {
    const asked = request({ host: "127.0.0.1", port, agent: false }, (response) => void response.resume());
    open.add(asked);
    asked.on("error", () => {});
    asked.on("close", () => void open.delete(asked));
    asked.end();
  }, 6);
  return () => {
    clearInterval(timer);
    for (const asked of open) asked.destroy();
  };
}

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  async function startCluster(version: string, options: object = {}) {
    const folder = mkdtempSync(join(tmpdir(), "lb-canary-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const deployed = join(folder, "version");
    writeFileSync(deployed, version);
    const shared = { port: 0, mode, instances: 2, drainTimeoutMs: 200, log: false };
    const primary = new PrimaryProcess("canary.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ ...shared, ...options }), LB_TEST_VERSION: deployed },
    });
    const { port } = await primary.up();
    const stop = steadyRequests(port);
    onTestFinished(stop);
    return {
      deploy: async (next: string, options: object = {}): Promise<OperationError | object> => {
        writeFileSync(deployed, next);
        try {
          return (await primary.operate("reload", { canary: { ...canary, ...options }, watchMs: 0 })) as object;
        } catch (error) {
          return error as OperationError;
        }
      },
    };
  }

  test("a canary of 500s, of 404s, of slow answers and of none is worse, unless the others are like that or it is not to count", async () => {
    const { deploy } = await startCluster("good");
    const worse = { code: "LB_RELOAD_CANARY", step: "canary", instance: 1, replaced: [] };
    const asGood = { replaced: [1, 2], canary: { verdict: "as-good" } };
    expect(await deploy("answers 500")).toMatchObject({ ...worse, message: expect.stringMatching(/requests failed/) });
    expect(await deploy("answers 404")).toMatchObject({ ...worse, message: expect.stringMatching(/with a 4xx/) });
    expect(await deploy("slow")).toMatchObject({ ...worse, message: expect.stringMatching(/ms on average/) });
    // What it is judged by has to come in the first half.
    expect(await deploy("silent", { forMs: 1_400 })).toMatchObject({
      ...worse,
      message: expect.stringMatching(/had no answer/),
    });
    expect(await deploy("answers 500", { on: ["connect", "reset", "timeout"] })).toMatchObject(asGood);
    expect(await deploy("answers 500")).toMatchObject(asGood);
    // Responses that begin and go on are answers, in time.
    expect(await deploy("streams")).toMatchObject({ ...asGood, canary: { canary: { unanswered: 0 } } });
  }, 60_000);
});
