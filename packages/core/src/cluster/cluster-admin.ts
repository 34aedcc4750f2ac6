import { actionsPage } from "../admin/actions-page.ts";
import { type AdminEstate, AdminServer } from "../admin/admin-server.ts";
import { historyPage, logsPage, sessionPage, statusPage } from "../admin/api-pages.ts";
import { dashboardPages } from "../admin/dashboard-pages.ts";
import { EventStream } from "../admin/event-stream.ts";
import { metricsPage } from "../admin/metrics/metrics-page.ts";
import type { Page, PostPage } from "../admin/page.ts";
import { profilePage } from "../admin/profile-page.ts";
import type { ClusterSight } from "../control/cluster-sight.ts";
import { shownCertificate } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { EntryMemory } from "../log/entry-memory.ts";
import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import { type ActionName, actionArguments } from "../options/action-arguments.ts";
import type { AdminSettings } from "../options/admin-options.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import type { WorkerOutput } from "../supervisor/worker-output.ts";
import { isPem, readCertificate } from "../tls/certificate.ts";
import { FileWatch } from "../tls/file-watch.ts";
import type { AppMetrics } from "./app-metrics.ts";
import type { OperatorActions } from "./operator-actions.ts";
import { isOf } from "./output-options.ts";
import type { Profiles } from "./profiles.ts";

export interface ClusterAdminOptions {
  /** False: there is none. */
  readonly settings: AdminSettings | false;
  readonly sight: ClusterSight;
  readonly events: ClusterEvents<ClusterEventMap>;
  /** What became of it lately. */
  readonly memory: EntryMemory;
  /** What the instances write, if it is read here. */
  readonly output: WorkerOutput | undefined;
  /** Undefined: the app's own are not asked for. */
  readonly appMetrics: AppMetrics | undefined;
  /** Undefined: the cluster is not so far yet. */
  readonly actions: () => OperatorActions | undefined;
  readonly profiles: Profiles;
  /** Of the primary in whose place this one is, if that had one there. */
  readonly before: AdminEstate | undefined;
  readonly clock: Clock;
}

/** The admin listener of a cluster, if it has one. */
export class ClusterAdmin {
  readonly #options: ClusterAdminOptions;
  #server: AdminServer | undefined;
  #url: string | undefined;
  #watch: FileWatch | undefined;

  constructor(options: ClusterAdminOptions) {
    this.#options = options;
  }

  /** Where it is. */
  get url(): string | undefined {
    return this.#url;
  }

  /** Where it is, with what lets in whoever opens that, where it was made here. */
  get link(): string | undefined {
    const token = this.#server?.guard.visitors.linkToken;
    return token === undefined ? this.#url : `${this.#url}/?token=${token}`;
  }

  /**
   * @throws ListenError if it was asked for at a place that cannot be had
   * @throws LbError `LB_CERTIFICATE`
   */
  async open(): Promise<void> {
    const { settings, events, memory, before, clock } = this.#options;
    if (settings === false) return;
    const dashboard = await dashboardPages();
    const server: AdminServer = new AdminServer({
      settings,
      certificate: settings.tls && readCertificate(settings.tls, "admin.tls"),
      pages: { ...dashboard, ...this.#pages(() => server.guard.intent.csrfToken) },
      posts: this.#posts(),
      events: new EventStream(memory, clock),
      before,
      refused: (refusal) =>
        events.emit("admin-action", { action: null, arguments: {}, outcome: "refused", ...refusal }),
      clock,
    });
    try {
      this.#url = await server.listen();
      this.#server = server;
      if (settings.tls !== undefined) await this.#renew(server, settings.tls);
    } catch (error) {
      if (!settings.mayFail) throw error;
      events.emit("admin-failed", error as LbError);
    }
  }

  /** Accepts from the socket that was handed over, if it was. */
  async accept(): Promise<void> {
    await this.#server?.accept();
  }

  /** What another primary needs to go on there; undefined: there is nothing. */
  get estate(): AdminEstate | undefined {
    return this.#server?.estate;
  }

  /** Somebody else answers there from now on. */
  leave(): void {
    this.#watch?.stop();
    this.#server?.share(true);
    this.#server?.leave();
  }

  /** See `AdminServer.share`. */
  share(shared: boolean): void {
    this.#server?.share(shared);
  }

  /** When its files change. */
  #renew(server: AdminServer, tls: CertificateSettings): Promise<void> {
    const { events, clock } = this.#options;
    const read = () => readCertificate(tls, "admin.tls");
    this.#watch = new FileWatch({
      files: () => [tls.cert, tls.key].filter((given) => !isPem(given)),
      clock,
      reread: () => server.renew(read()),
      renewed: () => {
        const { names, validFrom, expiresAt, issuer, problem } = read();
        const certificate = shownCertificate({ names, validFrom, expiresAt, issuer, problem, source: "options" });
        events.emit("certificates-renewed", { certificates: [certificate] });
      },
      failed: (error) => events.emit("certificates-failed", error),
    });
    return this.#watch.begin();
  }

  #pages(csrfToken: () => string | null): Readonly<Record<string, Page>> {
    const { sight, output, appMetrics } = this.#options;
    return {
      "/metrics": metricsPage(sight, appMetrics && ((patienceMs) => appMetrics.gather(patienceMs))),
      "/api/session": sessionPage(sight, csrfToken),
      "/api/status": statusPage(sight),
      "/api/history": historyPage(sight),
      "/api/logs": logsPage(
        output && (({ lines, ...whose }) => output.history.last(lines, (line) => isOf(line, whose))),
      ),
    };
  }

  /** What takes POST, for those who are let in and mean it: the guard has seen to that. */
  #posts(): Readonly<Record<string, PostPage>> {
    const { actions, profiles, events } = this.#options;
    return {
      "/api/profile": profilePage({
        take: (wish) => profiles.take(wish),
        audit: (action) => events.emit("admin-action", action),
      }),
      "/api/actions": actionsPage({
        known: Object.fromEntries(
          Object.entries(actionArguments).map(([name, { entries }]) => [name, Object.keys(entries)]),
        ),
        run: async (name, given) => {
          const operator = actions();
          if (operator === undefined) throw new LbError("LB_STARTING", "The cluster is not open yet.");
          return operator.run(name as ActionName, given);
        },
        audit: (action) => events.emit("admin-action", action),
      }),
    };
  }

  close(): void {
    this.#watch?.stop();
    this.#server?.close();
  }
}
