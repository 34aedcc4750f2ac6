import { maxAppMetricsLength, maxAppSamples, type SentFamily } from "../ipc/app-metrics.ts";
import type { WorkerMessage } from "../ipc/messages.ts";
import type { Clock } from "../model/clock.ts";
import { contain } from "./agent-faults.ts";
import { type WatchedModule, watchModules } from "./module-watch.ts";

/** As far as a registry of prom-client's is used here. */
interface Registry {
  getMetricsAsJSON(): Promise<readonly PromMetric[]> | readonly PromMetric[];
}

/** A metric as prom-client tells it. */
interface PromMetric {
  readonly name: string;
  readonly help: string;
  readonly type: SentFamily["type"];
  readonly aggregator?: string;
  readonly values?: readonly {
    readonly metricName?: string;
    readonly labels?: Readonly<Record<string, unknown>>;
    readonly value: unknown;
  }[];
}

interface PromClient {
  readonly register: Registry;
  readonly Registry: { readonly prototype: { registerMetric(metric: object): unknown } };
}

/** A process that ends does not wait longer for what it has counted. */
const maxLastMs = 500;

/** Registries besides the one that all have. */
const maxRegistries = 32;

/** The metrics that the app has of its own, by the package prom-client: of every copy of it that is loaded, and of all its registries. */
export class AppMetrics {
  /** One that nobody else holds any more is left out. */
  readonly #registries: WeakRef<Registry>[] = [];
  readonly #copies = new WeakSet<object>();
  readonly #known = new WeakSet<object>();
  readonly #send: (message: WorkerMessage) => Promise<void>;
  #asked = 0;
  #telling: Promise<void> | undefined;

  /** `send`: to the primary, which is told of each copy of prom-client. */
  constructor(send: (message: WorkerMessage) => Promise<void>) {
    this.#send = send;
    watchModules([this.#watched]);
  }

  /** The primary asks for the so manieth time; one answer at a time, for the last of them. */
  tell(asked: number): Promise<void> {
    this.#asked = asked;
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  /** What is counted is told for the last time, unless that takes too long. */
  async end(clock: Clock): Promise<void> {
    if (this.#registries.length === 0) return;
    const late = new Promise<void>((resolve) => clock.after(maxLastMs, resolve));
    await Promise.race([this.tell(0), late]);
  }

  async #tell(): Promise<void> {
    // What the app's own functions for it throw is not ours to tell; without an answer the primary goes by the last one.
    const text = await this.#text().catch(() => undefined);
    if (text !== undefined) await this.#send({ type: "metrics", asked: this.#asked, text });
  }

  /** As `readAppMetrics` reads it. */
  async #text(): Promise<string> {
    const names = new Set<string>();
    const parts: string[] = [];
    let [length, samples] = [2, 0];
    for (const one of this.#registries) {
      for (const metric of (await one.deref()?.getMetricsAsJSON()) ?? []) {
        // Of two registries that have the same the first is asked.
        if (names.has(metric.name)) continue;
        names.add(metric.name);
        const family = sentFamily(metric);
        const part = JSON.stringify(family);
        if (length + part.length + 1 > maxAppMetricsLength || samples + family.samples.length > maxAppSamples) continue;
        length += part.length + 1;
        samples += family.samples.length;
        parts.push(part);
      }
    }
    return `[${parts.join(",")}]`;
  }

  get #watched(): WatchedModule {
    return {
      name: "prom-client",
      file: /\/prom-client\/index\.js$/,
      loaded: (exports) => contain("the app's metrics", () => this.#loaded(exports as Partial<PromClient> | undefined)),
    };
  }

  #loaded(client: Partial<PromClient> | undefined): void {
    const { register, Registry: made } = client ?? {};
    if (register === undefined || typeof made?.prototype?.registerMetric !== "function" || this.#copies.has(made))
      return;
    this.#copies.add(made);
    this.#registries.push(new WeakRef(register));
    const note = (registry: Registry, metric: object) => this.#note(registry, metric);
    const { registerMetric } = made.prototype;
    made.prototype.registerMetric = function (this: Registry, metric: object) {
      note(this, metric);
      return registerMetric.call(this, metric);
    };
    void this.#send({ type: "has-metrics" });
  }

  /** A registry that is made of others for the moment, as `Registry.merge` does it, has nothing of its own. */
  #note(registry: Registry, metric: object): void {
    if (this.#known.has(metric) || !("reset" in metric)) return;
    this.#known.add(metric);
    const living = this.#registries.filter((one) => one.deref() !== undefined);
    if (living.length <= maxRegistries && living.every((one) => one.deref() !== registry))
      living.push(new WeakRef(registry));
    this.#registries.splice(0, this.#registries.length, ...living);
  }
}

function sentFamily({ name, help, type, aggregator = "sum", values = [] }: PromMetric): SentFamily {
  return {
    name,
    help,
    type,
    aggregator,
    samples: values.flatMap(({ metricName = name, labels = {}, value }) => {
      // Such as the average of nothing.
      if (typeof value !== "number" || !Number.isFinite(value)) return [];
      const texts = Object.entries(labels).flatMap(([key, text]) => (text === undefined ? [] : [[key, String(text)]]));
      return [[metricName.slice(name.length), Object.fromEntries(texts) as Record<string, string>, value] as const];
    }),
  };
}
