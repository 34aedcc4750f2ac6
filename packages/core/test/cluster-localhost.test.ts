// The option `https.localhost`: a certificate of this user's own, for development.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { PrimaryProcess } from "./support/primary-process.ts";

const run = promisify(execFile);

test("curl trusts it by its root, for localhost and both addresses, and is sent there from the port without TLS", async () => {
  const home = mkdtempSync(join(tmpdir(), "lb-home-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const options = { port: 0, instances: 1, http: "redirect", https: { port: 0, localhost: true } };
  const env = { LB_TEST_OPTIONS: JSON.stringify(options), XDG_STATE_HOME: home };
  const primary = new PrimaryProcess("handoff-app.ts", { env });
  const { https, port } = await primary.up();
  const root = join(home, "lb", "localhost", "root.pem");
  expect(https).toMatchObject({ localRoot: root, acme: null });
  expect(https!.certificates).toEqual([
    {
      names: ["localhost", "127.0.0.1", "[::1]"],
      issuer: expect.stringMatching(/^CN=lb on this machine/),
      source: "localhost",
      validFrom: expect.any(String),
      expiresAt: expect.any(String),
      problem: null,
    },
  ]);
  for (const host of ["localhost", "127.0.0.1"]) {
    const { stdout } = await run("curl", ["-sSL", "--cacert", root, `http://${host}:${port}/x`]);
    expect(JSON.parse(stdout)).toMatchObject({ url: "/x", headers: { "x-forwarded-proto": "https" } });
  }
  await expect.poll(() => primary.log).toContain(`of an authority of your own: ${root}`);
  await expect.poll(() => primary.log).toContain("to trust it, once: ");
});
