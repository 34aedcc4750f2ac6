import type { DeniedRange } from "../control/denied-range.ts";
import { type RouteQuestion, type RouteReport, routeReport } from "../control/route-report.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents, Listener } from "../events/cluster-events.ts";
import type { AlertTrial } from "../model/alert.ts";
import { LbError } from "../model/errors.ts";
import type { OutputLine } from "../model/output-line.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import type { ReloadOptions } from "../options/reload-options.ts";
import type { WorkerOutput } from "../supervisor/worker-output.ts";
import type { Alerting } from "./alerts/alerting.ts";
import type { ApplyOptions, ApplyReport } from "./apply-report.ts";
import type { ClusterAdmin } from "./cluster-admin.ts";
import type { ClusterLifetime } from "./cluster-lifetime.ts";
import type { ClusterOperations } from "./cluster-operations.ts";
import type { ClusterState } from "./cluster-state.ts";
import type { Configuration, ConfigurationSource } from "./configuration.ts";
import type { Denials } from "./denials.ts";
import type { InstanceGroup } from "./instance-group.ts";
import { isOf, type OutputOptions } from "./output-options.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";
import type { ClusterReloadReport } from "./reload-report.ts";

export interface PrimaryOptions {
  /** As they are now. */
  readonly settings: () => ClusterSettings;
  readonly state: ClusterState;
  readonly operations: ClusterOperations;
  readonly denials: Denials;
  readonly alerting: Alerting | undefined;
  readonly lifetime: ClusterLifetime;
  readonly admin: ClusterAdmin;
  readonly output: WorkerOutput | undefined;
  readonly configuration: Configuration;
  readonly events: ClusterEvents<ClusterEventMap>;
}

/** What users have in hands of a cluster: each call goes to the part that it is for. */
export class Primary implements PrimaryCluster {
  readonly role = "primary";
  readonly port: number;
  readonly url: string;
  readonly #options: PrimaryOptions;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { port, url } = options.state.listening;
    this.port = port;
    this.url = url;
  }

  get dashboard(): string | undefined {
    return this.#options.admin.link;
  }

  status(): ClusterStatus {
    return this.#options.state.status();
  }

  reload(options?: ReloadOptions): Promise<ClusterReloadReport> {
    return this.#options.operations.reload(options);
  }

  backend(name: string): InstanceGroup {
    return this.#options.operations.group(name);
  }

  restart(id: number): Promise<void> {
    return this.#options.operations.app.restart(id);
  }

  scale(instances: number): Promise<void> {
    return this.#options.operations.app.scale(instances);
  }

  drain(id: number): Promise<void> {
    return this.#options.operations.app.drain(id);
  }

  routes(question?: RouteQuestion): RouteReport {
    return routeReport(this.#options.settings().routes, question);
  }

  reloadCertificates(): Promise<void> {
    return this.#options.operations.reloadCertificates();
  }

  setCertificates(certificates: readonly CertificateSettings[]): Promise<void> {
    return this.#options.operations.setCertificates(certificates);
  }

  deny(range: string, { forMs }: { readonly forMs?: number } = {}): DeniedRange {
    return this.#options.denials.deny(range, forMs);
  }

  allow(range: string): boolean {
    return this.#options.denials.allow(range);
  }

  denied(): readonly DeniedRange[] {
    return this.#options.denials.all;
  }

  resume(id: number): void {
    this.#options.operations.app.resume(id);
  }

  send(id: number, message: unknown): boolean {
    return this.#options.operations.app.send(id, message);
  }

  output({ lines = 100, ...whose }: OutputOptions = {}): readonly OutputLine[] {
    const { output, operations } = this.#options;
    if (whose.backend !== undefined) operations.group(whose.backend);
    if (output !== undefined) return output.history.last(lines, (line) => isOf(line, whose));
    const remedy = "Start it with `lb start`, or with the option output.";
    throw new LbError("LB_NO_OUTPUT", `What the instances write is not kept here. ${remedy}`);
  }

  async testAlerts(): Promise<readonly AlertTrial[]> {
    const { alerting } = this.#options;
    if (alerting !== undefined) return alerting.test();
    throw new LbError("LB_NO_ALERTS", "Nobody is to be told when something is wrong: the option alerts says who.");
  }

  apply(options: ClusterOptions, how?: ApplyOptions): Promise<ApplyReport> {
    return this.#options.configuration.apply(options, how);
  }

  /** Its options are read of a file, which can be read again. */
  isConfiguredBy(source: ConfigurationSource): void {
    this.#options.configuration.isBy(source);
  }

  holdOutput(held: boolean): void {
    this.#options.output?.hold(held);
  }

  on<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this {
    this.#options.events.on(name, listener);
    return this;
  }

  off<Name extends keyof ClusterEventMap>(name: Name, listener: Listener<ClusterEventMap[Name]>): this {
    this.#options.events.off(name, listener);
    return this;
  }

  close({ graceMs = this.#options.settings().drainTimeoutMs }: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#options.lifetime.close(graceMs);
  }
}
