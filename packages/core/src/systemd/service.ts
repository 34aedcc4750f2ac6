import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import { NotifyHelper } from "./notify-helper.ts";
import type { ServiceEnvironment } from "./service-environment.ts";
import { ServiceNotices } from "./service-notices.ts";

export interface ServiceParts {
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly status: () => ClusterStatus;
  readonly clock: Clock;
}

/** Has systemd told how the cluster is, if this process is a service of its that is to say so. */
export function notifySystemd(
  service: ServiceEnvironment | undefined,
  { events, status, clock }: ServiceParts,
  path = process.env["PATH"],
): ServiceNotices | undefined {
  if (service === undefined) return undefined;
  const { socket, watchdogMs } = service;
  const helper = new NotifyHelper({
    socket,
    path,
    failed: (why) => {
      const remedy = "Install it, or run the service with Type=simple and without WatchdogSec=.";
      process.emitWarning(new LbError("LB_NOTIFY", `systemd is not told how this service is: ${why}. ${remedy}`));
    },
  });
  return new ServiceNotices({
    events,
    status,
    clock,
    // CLOCK_MONOTONIC on Linux, which is where systemd is.
    monotonicMicroseconds: () => process.hrtime.bigint() / 1_000n,
    send: (...assignments) => helper.send(...assignments),
    watchdogMs,
    ended: () => helper.close(),
  });
}
