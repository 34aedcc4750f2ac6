import { expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { PrimaryProcess, startPrimary } from "./support/primary-process.ts";

const instances = 2;
const patience = { what: "an answer of the primary" };

function withOptions(options: object, env: Record<string, string> = {}) {
  return { env: { ...env, LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances, ...options }) } };
}

it.each(["proxy", "handoff"])("the app and its primary talk, and the app hears nothing else (%s)", async (mode) => {
  const { primary, up } = await startPrimary("messages.ts", withOptions({ mode, affinity: "ip" }));
  await httpGet(`${up.url}/ask`);
  const heard = await eventually(async () => {
    const { body } = await httpGet(`${up.url}/`);
    return body.includes("answer") ? (JSON.parse(body) as unknown) : undefined;
  }, patience);
  const { instance } = await primary.event("message", ({ message }) => typeof message === "object");
  expect(heard).toEqual([{ answer: { question: String(instance) } }]);
  await primary.operate("restart", instance);
  expect(JSON.parse((await httpGet(`${up.url}/`)).body)).toEqual([]);
  const asked = primary.events.flatMap(({ name, argument }) => {
    const { message } = argument as { readonly message?: unknown };
    return name === "message" && message !== "ready" ? [message] : [];
  });
  expect(asked).toEqual([{ question: String(instance) }]);
});

it("waitReady: an instance is ready only when its app says so", async () => {
  const options = withOptions({ instances: 1, waitReady: true }, { LB_TEST_READY_MS: "700" });
  const startedAt = performance.now();
  const { up } = await startPrimary("messages.ts", options);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(700);
  expect((await httpGet(up.url)).status).toBe(200);
});

it("waitReady: an app that never says so is a start that timed out, and its error names the option", async () => {
  const options = withOptions({ instances: 1, waitReady: true, startTimeoutMs: 3_000 }, { LB_TEST_READY_MS: "60000" });
  expect(await new PrimaryProcess("messages.ts", options).failed()).toMatchObject({
    code: "LB_START_TIMEOUT",
    message: expect.stringContaining("waitReady"),
  });
});
