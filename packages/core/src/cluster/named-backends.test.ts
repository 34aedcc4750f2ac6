import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { backendAuthority, loopback } from "../../test/support/backend-certificates.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { ClusterEvents } from "../events/cluster-events.ts";
import { parseClusterOptions } from "../options/cluster-settings.ts";
import type { PlaneOrder } from "../plane/plane-messages.ts";
import { watchMs } from "../tls/file-watch.ts";
import { NamedBackends } from "./named-backends.ts";
import type { Traffic } from "./traffic.ts";

/** A backend with a certificate of ours in files, and what is ordered and told of it. */
async function following() {
  const folder = mkdtempSync(join(tmpdir(), "lb-named-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const authority = backendAuthority();
  const [cert, key, ca] = ["cert.pem", "key.pem", "ca.pem"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const issue = () => {
    const pair = authority.issue([loopback]);
    writeFileSync(cert, pair.cert);
    writeFileSync(key, pair.key);
    return pair;
  };
  writeFileSync(ca, authority.ca);
  const first = issue();
  const random = seededRandom(1);
  const options = { backends: { api: { endpoints: ["https://10.0.0.1"], tls: { cert, key, ca } } } };
  const { backends } = parseClusterOptions(options, { env: {}, parallelism: 1, random });
  const orders: PlaneOrder[] = [];
  const traffic = { order: (order: PlaneOrder) => orders.push(order) } as unknown as Traffic;
  const events = new ClusterEvents<ClusterEventMap>();
  const told: (string | undefined)[] = [];
  events.on("backend-certificates", ({ error }) => told.push(error?.code));
  const clock = new ManualClock();
  const followed = new NamedBackends({ backends, traffic, events, clock, random });
  onTestFinished(() => followed.close());
  await followed.begin([]);
  const certificates = () =>
    orders
      .flatMap((order) => (order.kind === "backend" ? order.endpoints : []))
      .map(({ reach }) => (reach.kind === "http1" ? reach.tls?.cert : undefined));
  return { cert, issue, first, told, clock, followed, certificates };
}

test("a backend's certificates are read anew when their files change, and what cannot be used is told, and left", async () => {
  const { cert, issue, first, told, clock, certificates } = await following();
  const toldLater = () => {
    clock.advance(watchMs);
    return told;
  };
  expect(certificates()).toEqual([first.cert]);
  writeFileSync(cert, "none");
  // It may have been looked at between two files, so that it is told at the second look.
  await expect.poll(toldLater).toEqual(["LB_CERTIFICATE"]);
  expect(certificates()).toEqual([first.cert]);
  const second = issue();
  await expect.poll(toldLater).toEqual(["LB_CERTIFICATE", undefined]);
  expect(certificates()).toEqual([first.cert, second.cert]);
});

test("and when an operator says so", async () => {
  const { issue, first, followed, certificates } = await following();
  const second = issue();
  followed.reread();
  expect(certificates()).toEqual([first.cert, second.cert]);
});
