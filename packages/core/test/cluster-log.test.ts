// What a cluster writes about itself, by default and otherwise.
import { expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { startPrimary } from "./support/primary-process.ts";

// Without a control socket: beside those of other tests it would be given another name, and say so.
const withOptions = (options: object) => ({
  env: { LB_TEST_OPTIONS: JSON.stringify({ instances: 2, port: 0, control: false, ...options }) },
});

test("a cluster tells of crashes, what follows them, reloads and its end, on standard error and in the primary alone", async () => {
  const { primary, up } = await startPrimary("app.ts", withOptions({}));
  const says = (text: RegExp) => eventually(() => text.test(primary.log), { what: `${text} in ${primary.log}` });
  await says(
    /^(lb: starting: .*\n)*lb: app listens on http:\/\/127\.0\.0\.1:\d+ with 2 instances, proxy mode, pid \d+\n$/,
  );
  await httpGet(`${up.url}/exit?code=3`);
  await says(/instance \d \(pid \d+\) crashed with exit code 3; a new one starts at once\n/);
  await says(/instance \d is ready again \(pid \d+\)\n/);
  await primary.operate("reload", { watchMs: 50 });
  await says(
    /reload: 2 instances to replace\n(.*\n)*lb: reload: instance 2 is replaced \(2 of 2\)\nlb: reload: done, 2 /,
  );
  primary.kill("SIGTERM");
  expect(await primary.exited).toEqual({ code: 0, signal: null });
  // Its last words may come behind its end.
  await expect
    .poll(() => primary.log)
    .toMatch(/lb: SIGTERM: draining, for at most 10 s; .*\nlb: all instances have ended, after .*\n$/);
  expect(primary.log.match(/listens on/g)).toHaveLength(1);
  expect(primary.stderr).toBe("");
});

test("for machines, or not at all", async () => {
  const json = await startPrimary("app.ts", withOptions({ log: "json" }));
  const line = () => json.primary.stderr.split("\n").find((one) => one.includes("listens on"));
  expect(JSON.parse(await eventually(line, { what: "a line" }))).toMatchObject({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    level: "info",
    event: "phase",
    phase: "running",
    message: expect.stringContaining("app listens on"),
  });
  await json.primary.close();
  const silent = await startPrimary("app.ts", withOptions({ log: false }));
  await httpGet(`${silent.up.url}/exit?code=3`);
  await silent.primary.event("exit");
  await silent.primary.close();
  expect([silent.primary.log, silent.primary.stderr]).toEqual(["", ""]);
});
