import { AdminServer } from "../admin/admin-server.ts";
import { historyPage, logsPage, statusPage } from "../admin/api-pages.ts";
import { EventStream } from "../admin/event-stream.ts";
import { metricsPage } from "../admin/metrics/metrics-page.ts";
import type { ClusterSight } from "../control/cluster-sight.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { ClusterLog } from "../log/cluster-log.ts";
import type { LogEntry } from "../log/log-entry.ts";
import { type Clock, systemWallClock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { AdminSettings } from "../options/admin-options.ts";
import type { WorkerOutput } from "../supervisor/worker-output.ts";
import { isOf } from "./output-options.ts";

export interface ClusterAdminOptions {
  /** False: there is none. */
  readonly settings: AdminSettings | false;
  readonly sight: ClusterSight;
  readonly events: ClusterEvents<ClusterEventMap>;
  /** What the instances write, if it is read here. */
  readonly output: WorkerOutput | undefined;
  readonly clock: Clock;
}

/** The admin listener of a cluster, if it has one. */
export class ClusterAdmin {
  readonly #options: ClusterAdminOptions;
  #server: AdminServer | undefined;
  #url: string | undefined;

  constructor(options: ClusterAdminOptions) {
    this.#options = options;
  }

  /** Where it is. */
  get url(): string | undefined {
    return this.#url;
  }

  /** @throws ListenError if it was asked for at a place that cannot be had */
  async open(): Promise<void> {
    const { settings, sight, events, output, clock } = this.#options;
    if (settings === false) return;
    const pages = {
      "/metrics": metricsPage(sight),
      "/api/status": statusPage(sight),
      "/api/history": historyPage(sight),
      "/api/logs": logsPage(
        output && (({ lines, ...whose }) => output.history.last(lines, (line) => isOf(line, whose))),
      ),
    };
    const stream = new EventStream(clock);
    const server = new AdminServer({ settings, pages, events: stream, clock });
    try {
      this.#url = await server.listen();
      this.#server = server;
      const write = (entry: LogEntry) => stream.add(entry, systemWallClock());
      new ClusterLog({ events, status: () => sight.status(), clock, write });
    } catch (error) {
      if (!settings.mayFail) throw error;
      events.emit("admin-failed", error as LbError);
    }
  }

  close(): void {
    this.#server?.close();
  }
}
