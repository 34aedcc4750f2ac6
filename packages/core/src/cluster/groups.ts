import type { SupervisedGroup } from "../control/status.ts";
import type { HubCounts } from "../hub/hub-counts.ts";
import { isPortFree } from "../supervisor/ports.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { GroupSize, HandedSharedPort } from "../upgrade/estate.ts";
import type { Group } from "./group.ts";
import type { GroupOperations } from "./group-operations.ts";
import { isAgents } from "./group-plan.ts";

/** All groups of instances of a cluster: the app's, and those of the backends that are run here. They start and end together. */
export class Groups {
  readonly app: Group;
  /** By the names of their backends. */
  readonly #named: ReadonlyMap<string, Group>;
  readonly #all: readonly Group[];

  constructor(app: Group, others: readonly Group[]) {
    this.app = app;
    this.#named = new Map(others.map((group) => [group.plan.backend!, group]));
    this.#all = [app, ...others];
  }

  /** Of backends. */
  get names(): readonly string[] {
    return [...this.#named.keys()];
  }

  /** Undefined: there is no group of this name. */
  operations(name: string): GroupOperations | undefined {
    return (name === this.app.operations.name ? this.app : this.#named.get(name))?.operations;
  }

  /** Undefined: there is no group of this name. `isApp`: lb sees into its instances, or there are none. */
  profiled(name: string): { readonly supervisor: Supervisor; readonly isApp: boolean } | undefined {
    const group = name === this.app.operations.name ? this.app : this.#named.get(name);
    return group && { supervisor: group.supervisor, isApp: group === this.app || isAgents(group.plan.run) };
  }

  /** How many instances each has. */
  get sizes(): readonly GroupSize[] {
    return this.#all.map(({ plan, configured, supervisor }) => ({
      backend: plan.backend ?? null,
      configured,
      size: supervisor.size,
    }));
  }

  /** Ports that instances share, and that are open. */
  get sharedPorts(): readonly HandedSharedPort[] {
    return this.#all.flatMap(({ plan, sharedPorts }) =>
      sharedPorts.open.map((one) => ({ ...one, backend: plan.backend ?? null })),
    );
  }

  /** Accepts at those of them that were handed over. */
  accept(): void {
    for (const { sharedPorts } of this.#all) sharedPorts.accept();
  }

  /** How the instances of backends are, by name. */
  get states(): Readonly<Record<string, SupervisedGroup>> {
    return Object.fromEntries([...this.#named].map(([name, { state }]) => [name, state]));
  }

  /** What has passed between instances. */
  get hub(): HubCounts {
    const total = { messages: 0, bytesIn: 0, bytesOut: 0, channels: 0 };
    for (const { sockets } of this.#all) {
      const counts = sockets?.hub();
      if (counts === undefined) continue;
      total.messages += counts.messages;
      total.bytesIn += counts.bytesIn;
      total.bytesOut += counts.bytesOut;
      total.channels += counts.channels;
    }
    return total;
  }

  /**
   * Chooses the ports of all instances; `publicPortOf`: what is told the app, or this backend, as the public one.
   *
   * @throws OptionError, LbError `LB_PORT_BUSY`
   */
  async choosePorts(publicPortOf: (backend: string | undefined) => number): Promise<void> {
    const publicPort = publicPortOf(undefined);
    const taken = new Set([publicPort, ...(await this.app.choosePorts(publicPort))]);
    const isFree = async (port: number) => !taken.has(port) && (await isPortFree(port));
    for (const [name, group] of this.#named) {
      for (const port of await group.choosePorts(publicPortOf(name), isFree)) taken.add(port);
    }
  }

  /** Resolves when all instances of all of them are ready. */
  async start(): Promise<void> {
    await Promise.all(this.#all.map((group) => group.start()));
  }

  /** All of the cluster is ready. */
  begin(): void {
    for (const group of this.#all) group.begin();
  }

  abandon(reason: Error): void {
    for (const group of this.#all) group.abandon(reason);
  }

  /** Readiness checks of all instances fail from now on, before anything ends. */
  announceDelay(): void {
    for (const { supervisor } of this.#all) supervisor.announceDelay();
  }

  /** No request comes any more; `stop` follows. */
  announceEnd(graceMs: number): void {
    for (const { supervisor } of this.#all) supervisor.announceEnd(graceMs);
  }

  async endProbes(): Promise<void> {
    await Promise.all(this.#all.map((group) => group.endProbes()));
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.#all.map(({ supervisor }) => supervisor.stop(graceMs)));
  }

  kill(): void {
    for (const { supervisor } of this.#all) supervisor.kill();
  }

  /** Synchronous, since the last use is just before the process ends. */
  removeSockets(): void {
    for (const { sockets } of this.#all) sockets?.remove();
  }
}
