import type { DeniedRange } from "../control/denied-range.ts";
import type { RouteQuestion, RouteReport } from "../control/route-report.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { Listener } from "../events/cluster-events.ts";
import type { AlertTrial } from "../model/alert.ts";
import type { OutputLine } from "../model/output-line.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import type { ReloadOptions } from "../options/reload-options.ts";
import type { ApplyOptions, ApplyReport } from "./apply-report.ts";
import type { InstanceGroup } from "./instance-group.ts";
import type { OutputOptions } from "./output-options.ts";
import type { ClusterReloadReport } from "./reload-report.ts";

/** The cluster as the primary holds it. */
export interface PrimaryCluster {
  readonly role: "primary";
  /** The public port; 0 if it listens on none. */
  readonly port: number;
  /** Where the cluster can be reached from this machine; `status().listeners` has all such places. */
  readonly url: string;
  /**
   * Where the admin listener is, with the token that lets in whoever opens it, if it is one of this start (without `admin.auth`):
   * a secret of this user's. Undefined: there is none.
   */
  readonly dashboard: string | undefined;
  status(): ClusterStatus;
  on<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this;
  off<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this;
  /**
   * Replaces all workers by new ones of the same program, one after the other: each starts beside the old one, has to
   * be ready and healthy, takes over, and is watched before the old one drains. On failure the old ones go on serving.
   * Reloads take turns with one another, with `restart` and with `scale`. The programs beside the app (`backends.<name>.exec`)
   * follow it, each as it did. SIGHUP does the same.
   *
   * @throws ReloadError (`LB_RELOAD_…`) says which step failed at which instance, and what was replaced all the same
   * @throws OptionError
   */
  reload(options?: ReloadOptions): Promise<ClusterReloadReport>;
  /**
   * The instances of one program, to be operated by themselves: of a backend that is one here, or `"app"`, of the app.
   *
   * @throws OptionError if there is none of that name
   */
  backend(name: string): InstanceGroup;
  /** The same for one instance of the app, 1…N. */
  restart(id: number): Promise<void>;
  /**
   * Changes the number of the app's instances. Resolves when the new ones are ready, or those too many have drained and ended:
   * they are the ones with the highest numbers. If a new one cannot start, all stays as it was.
   *
   * @throws StartError for the reasons that `cluster()` gives
   * @throws LbError `LB_PORT_BUSY`: the consecutive ports that the new ones need are taken
   * @throws LbError `LB_CLOSED`: the cluster was closed meanwhile
   */
  scale(instances: number): Promise<void>;
  /**
   * Takes an instance out of rotation, until `resume`. Its process stays, through restarts and reloads too. Resolves
   * when what it had in flight has been answered. WebSockets are neither ended nor waited for, and sessions that live in
   * it go on there, with new requests too.
   *
   * @throws LbError `LB_LAST_INSTANCE`: no other one takes traffic
   */
  drain(id: number): Promise<void>;
  /**
   * Gives the app in an instance a message, which its `process.on("message")` hears; what it says by `process.send` is
   * the event `message`. False: that instance does not serve at the moment.
   *
   * @throws OptionError if there is no such instance; TypeError for what JSON cannot express
   */
  send(id: number, message: unknown): boolean;
  /** The last lines that the instances wrote, or some of them, oldest first. */
  output(options?: OutputOptions): readonly OutputLine[];
  /**
   * Sends a message to all targets of the option `alerts`, and tells what became of it at each, in their order.
   *
   * @throws LbError `LB_NO_ALERTS`: there are none
   */
  testAlerts(): Promise<readonly AlertTrial[]>;
  /** Reads on what the instances write, or holds them back: for whoever cannot get rid of it as fast. */
  holdOutput(held: boolean): void;
  /**
   * Reads the certificates of the option `https` anew, now: new handshakes get them, connections that stand go on. Without
   * it that happens within seconds of their files' change. An authority (`https.acme`) that failed to give one is asked again.
   *
   * @throws LbError `LB_CERTIFICATE`: one cannot be used; the old ones serve on
   */
  reloadCertificates(): Promise<void>;
  /**
   * Uses these, files or PEM, in place of the certificates of the option `https`, and looks after their files instead: new handshakes
   * get them, connections that stand go on, as do those of `https.acme` and `https.localhost`. All of them or none; until the cluster ends.
   *
   * @throws OptionError for what is no list of them, or where there is no port with TLS
   * @throws LbError `LB_CERTIFICATE`: one cannot be used; the old ones serve on
   */
  setCertificates(certificates: readonly CertificateSettings[]): Promise<void>;
  /**
   * The routes (option `routes`), and which of them a request takes: the first that it fits.
   *
   * @throws OptionError for a URL that is none
   */
  routes(question?: RouteQuestion): RouteReport;
  /**
   * Keeps an address, or a range such as `"203.0.113.0/24"`, out: new connections are closed at once, requests on those that are
   * open and through `trustedProxies` get 403; WebSockets that are open stay. Until `allow`, or `forMs` have passed; not beyond
   * the cluster's life.
   *
   * @throws OptionError for what is no range, or everybody
   * @throws LbError `LB_DENY_FULL`: 10,000 ranges are kept out already
   */
  deny(range: string, options?: { readonly forMs?: number }): DeniedRange;
  /** Takes that back, also for what the option `denyList` has. False: this very range was not kept out. @throws OptionError */
  allow(range: string): boolean;
  /** Who is kept out. */
  denied(): readonly DeniedRange[];
  /**
   * Goes by other options from now on, as far as that can be done in place (docs/options.md says of each): for requests that begin, on
   * connections that are open, too. Options that are left out are as they are by default. All of them are put in force, or none.
   *
   * @throws ApplyError `LB_NEEDS_UPGRADE`, `LB_NEEDS_RELOAD`: an option is changed otherwise; `LB_CONFIG`: one cannot be used
   * @throws ReloadError with `reload`, if that failed; what is changed in place is in force then
   */
  apply(options: ClusterOptions, how?: ApplyOptions): Promise<ApplyReport>;
  /** Puts an instance that was drained back into rotation. */
  resume(id: number): void;
  /**
   * Takes no new connections, lets requests finish, then drains and ends the workers. Resolves when all of it is gone;
   * never rejects. What is still open after `graceMs` (default: the option `drainTimeoutMs`) is cut. A further call
   * changes nothing and resolves with the first.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}
