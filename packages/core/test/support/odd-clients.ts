import { request } from "node:http";
import { onTestFinished } from "vitest";
import type { PrimaryProcess } from "./primary-process.ts";
import { RawClient } from "./raw-client.ts";

/** A client whose bytes are no request; resolves when it has been answered. */
export async function saysNonsense(port: number): Promise<void> {
  const raw = await RawClient.connect(port);
  onTestFinished(() => raw.destroy());
  raw.send("NONSENSE\r\n\r\n");
  await raw.response().catch(() => {});
}

/** One that leaves while its request is in progress, the only one; resolves when that has been counted, the first of its kind. */
export async function leavesEarly(primary: PrimaryProcess, url: string): Promise<void> {
  const left = request(url).on("error", () => {});
  left.end();
  await primary.statusThat(({ traffic }) => traffic.inFlight === 1);
  left.destroy();
  await primary.statusThat(({ traffic }) => traffic.total.left === 1);
}
