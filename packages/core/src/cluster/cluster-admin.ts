import { AdminServer } from "../admin/admin-server.ts";
import { historyPage, statusPage } from "../admin/api-pages.ts";
import { metricsPage } from "../admin/metrics/metrics-page.ts";
import type { ClusterSight } from "../control/cluster-sight.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { AdminSettings } from "../options/admin-options.ts";

export interface ClusterAdminOptions {
  /** False: there is none. */
  readonly settings: AdminSettings | false;
  readonly sight: ClusterSight;
  readonly events: ClusterEvents<ClusterEventMap>;
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
    const { settings, sight, events, clock } = this.#options;
    if (settings === false) return;
    const pages = {
      "/metrics": metricsPage(sight),
      "/api/status": statusPage(sight),
      "/api/history": historyPage(sight),
    };
    const server = new AdminServer({ settings, pages, clock });
    try {
      this.#url = await server.listen();
      this.#server = server;
    } catch (error) {
      if (!settings.mayFail) throw error;
      events.emit("admin-failed", error as LbError);
    }
  }

  close(): void {
    this.#server?.close();
  }
}
