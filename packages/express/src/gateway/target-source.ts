import {
  type Clock,
  clusterRoster,
  currentInstance,
  LbError,
  OptionError,
  type Timer,
  type UrlBalancer,
} from "@lb/core";
import type { Targets } from "./target-options.ts";

/** How often an instance looks whether the cluster has others now; that costs one comparison. */
const rosterMs = 100;

export interface TargetSourceOptions {
  readonly targets: Targets;
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly report: (error: LbError) => void;
}

/** Keeps a balancer's endpoints what the `targets` option says they are. */
export class TargetSource {
  readonly #options: TargetSourceOptions;
  #timer: Timer | undefined;
  #closed = false;

  /** @throws OptionError for `"workers"` in a process that is no instance */
  constructor(options: TargetSourceOptions) {
    this.#options = options;
    if (options.targets === "workers" && currentInstance() === undefined) {
      throw new OptionError(
        "targets",
        options.targets,
        "this process is no instance of a cluster; give a function that lists the URLs, e.g. from PrimaryCluster.status()",
      );
    }
  }

  keepUpToDate(balancer: UrlBalancer): void {
    const { targets } = this.#options;
    if (targets === "workers") this.#followRoster(balancer, undefined);
    else if (typeof targets === "function") void this.#refresh(balancer, targets);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #followRoster(balancer: UrlBalancer, known: ReturnType<typeof clusterRoster> | undefined): void {
    const roster = clusterRoster();
    if (roster !== known) {
      const { host } = currentInstance()!;
      const authority = host.includes(":") ? `[${host}]` : host;
      balancer.update(roster.map(({ port }) => `http://${authority}:${port}`));
    }
    this.#later(rosterMs, () => this.#followRoster(balancer, roster));
  }

  /** A list that cannot be had, or used, leaves the one before in place. */
  async #refresh(balancer: UrlBalancer, list: Exclude<Targets, "workers" | readonly unknown[]>): Promise<void> {
    try {
      const urls = await list();
      if (this.#closed) return;
      balancer.update(urls);
    } catch (cause) {
      this.#options.report(new LbError("LB_RULE", "The targets function gave no list that can be used", { cause }));
    }
    this.#later(this.#options.refreshMs, () => void this.#refresh(balancer, list));
  }

  #later(ms: number, call: () => void): void {
    if (!this.#closed) this.#timer = this.#options.clock.after(ms, call);
  }
}
