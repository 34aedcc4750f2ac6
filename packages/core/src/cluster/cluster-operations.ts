import type { Clock } from "../model/clock.ts";
import { LbError, OptionError } from "../model/errors.ts";
import { otherCertificates } from "../options/certificate-places.ts";
import type { CertificateSettings, HttpsSettings } from "../options/https-options.ts";
import type { ReloadOptions } from "../options/reload-options.ts";
import type { Environment } from "./environment.ts";
import type { GroupOperations } from "./group-operations.ts";
import type { Groups } from "./groups.ts";
import type { IssuedCertificates } from "./issued-certificates.ts";
import type { NamedBackends } from "./named-backends.ts";
import { oneWaiting } from "./one-waiting.ts";
import type { ClusterReloadReport, ReloadReport } from "./reload-report.ts";
import type { Traffic } from "./traffic.ts";

export interface ClusterOperationsOptions {
  readonly groups: Groups;
  /** There are instances of an app. */
  readonly hasApp: boolean;
  readonly environment: Environment;
  readonly traffic: Traffic;
  readonly https: HttpsSettings | false;
  readonly issued: IssuedCertificates | undefined;
  readonly clock: Clock;
  readonly backends: NamedBackends;
}

/** What an operator does to a running cluster, as a whole or to one group of its instances. */
export class ClusterOperations {
  readonly #options: ClusterOperationsOptions;
  #closed: LbError | undefined;

  constructor(options: ClusterOperationsOptions) {
    this.#options = options;
  }

  get app(): GroupOperations {
    return this.#options.groups.app.operations;
  }

  /** Of the app, or of a backend's program. @throws OptionError */
  group(name: string): GroupOperations {
    const { groups, hasApp } = this.#options;
    const found = groups.operations(name);
    const isThere = hasApp || found !== this.app || groups.names.length === 0;
    if (found !== undefined && isThere) return found;
    const known = [...(hasApp ? [this.app.name] : []), ...groups.names].map((each) => JSON.stringify(each)).join(", ");
    throw new OptionError("backend", name, `give the name of what has instances here: ${known}`);
  }

  /** The app first: what it asks of the programs beside it is likely to be new. `began`: it had its turn. */
  async reload(options: ReloadOptions = {}, began: () => void = () => {}): Promise<ClusterReloadReport> {
    const { hasApp, groups, environment, clock } = this.#options;
    const startedAt = clock.now();
    // Once: no group is to be replaced where the variables for the next one cannot be read.
    let variables: ReturnType<Environment["read"]> | undefined;
    const turn = { began, environment: () => (variables ??= environment.read()) };
    const all = [...(hasApp ? [this.app] : []), ...groups.names.map((name) => groups.operations(name)!)];
    const reports = new Map<string, ReloadReport>();
    const isSet = options.rollback === "set" || options.check !== undefined;
    const reloadFrom = async (index: number): Promise<void> => {
      const group = all[index];
      if (group === undefined) return;
      const rest = () => reloadFrom(index + 1);
      const report = await group.reload(options, isSet ? { ...turn, alsoBefore: rest } : turn);
      reports.set(group.name, report);
      if (!isSet) await rest();
    };
    await reloadFrom(0);
    const durationMs = Math.round(clock.now() - startedAt);
    const ofApp = reports.get(this.app.name) ?? { replaced: [], durationMs };
    reports.delete(this.app.name);
    return groups.names.length === 0 ? ofApp : { ...ofApp, durationMs, backends: Object.fromEntries(reports) };
  }

  /** A reload that nobody awaits. */
  readonly reloadSoon: () => void = oneWaiting((began) => this.reload({}, began));

  async reloadCertificates(): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    await this.#options.traffic.rereadCertificates();
    this.#options.backends.reread();
    this.#options.issued?.hurry();
  }

  async setCertificates(given: readonly CertificateSettings[]): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    const { https, traffic } = this.#options;
    await traffic.setCertificates(otherCertificates(https, given));
  }

  /** The cluster closes: what runs is taken back, and nothing else begins (`LB_CLOSED`). */
  close(): void {
    this.#closed = new LbError("LB_CLOSED", "The cluster is closing, and takes no more operations.");
    this.#options.groups.abandon(this.#closed);
  }
}
