import { allInstances, readiness } from "../control/instance-names.ts";
import type { ClusterStatus, InstanceStatus } from "../control/status.ts";
import type { ClusterEventMap, ClusterPhase } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock, Timer } from "../model/clock.ts";
import { about, eventEntries, general, instancesNamed, type Said } from "./event-entries.ts";
import { localTrust } from "./local-trust.ts";
import type { LogEntry } from "./log-entry.ts";
import { Repetitions } from "./repetitions.ts";
import { counted, listed, span } from "./words.ts";

export interface ClusterLogOptions {
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly status: () => ClusterStatus;
  readonly clock: Clock;
  readonly write: (entry: LogEntry) => void;
}

/** The link itself is a secret, and not for logs. */
const dashboardHint = "lb dashboard shows the link to all the rest";

/** A start or a drain that takes longer says how far it is, this often. */
const progressMs = 1_000;

/** Tells in words what becomes of a cluster, from its events. */
export class ClusterLog {
  readonly #options: ClusterLogOptions;
  readonly #repetitions: Repetitions;
  #phase: ClusterPhase["phase"] = "starting";
  #phaseSince: number;
  #progress: Timer | undefined;
  /** The progress that was said last. */
  #said = "";
  #reloading = false;
  /** What is still open here drains, and another process has the cluster. */
  #isCeded = false;
  /** The program's stack that was shown last. */
  #lastStack: string | undefined;
  /** The processes that were ready, by instance. */
  readonly #ready = new Map<number, number | null>();
  /** Why an instance is about to be killed by its primary. */
  readonly #condemned = new Map<number, string>();

  constructor(options: ClusterLogOptions) {
    this.#options = options;
    const { events, clock } = options;
    this.#phaseSince = clock.now();
    this.#repetitions = new Repetitions(clock, (event, count) =>
      this.#write(event, general("warn", `${counted(count, "more event")} of this kind (${event})`)),
    );
    events.on("phase", (phase) => this.#entered(phase));
    events.on("instance", (instance) => this.#instance(instance));
    events.on("exit", (exit) => {
      const why = this.#condemned.get(exit.instance);
      this.#condemned.delete(exit.instance);
      // A signal to the whole group, such as Ctrl-C, reaches them as well as the primary.
      if (exit.reason === "stopped" || (exit.reason === "retired" && this.#phase === "closing")) return;
      this.#say("exit", eventEntries.exit(exit, exit.signal === "SIGKILL" ? why : undefined));
    });
    // What was done is told in any case, however much is refused meanwhile.
    events.on("admin-action", (action) => {
      const said = eventEntries["admin-action"](action)!;
      if (action.outcome === "done") this.#write("admin-action", said);
      else this.#say("admin-action", said);
    });
    events.on("unresponsive", ({ instance }) => this.#condemned.set(instance, "it was silent for too long"));
    events.on("responsive", ({ instance }) => this.#condemned.delete(instance));
    events.on("link-broken", ({ instance }) => this.#condemned.set(instance, "it broke the protocol"));
    events.on("reload", ({ backend, step }) => {
      if (backend === undefined) this.#reloading = step !== "finished" && step !== "rolled-back";
    });
    for (const name of Object.keys(eventEntries) as (keyof typeof eventEntries)[]) {
      if (name === "exit" || name === "admin-action") continue;
      const entryOf = eventEntries[name] as (argument: unknown) => Said;
      events.on(name, (argument) => {
        // A reload that fails says so itself, and why.
        if (name !== "start-failed" || !this.#reloading) this.#say(name, entryOf(argument));
      });
    }
  }

  /**
   * While the cluster starts, what goes wrong may be what ends the start, which is the error of `cluster()` then: said
   * there and not here.
   */
  #say(event: string, said: Said): void {
    if (said === undefined || this.#phase === "failed") return;
    if (this.#phase !== "starting" || said.level === "info") this.#limited(event, said);
    else {
      setImmediate(() => {
        if (this.#phase !== "failed") this.#limited(event, said);
      });
    }
  }

  #limited(event: string, said: NonNullable<Said>): void {
    if (!this.#repetitions.allow(event)) return;
    const { stack, ...rest } = said;
    const text = stack?.join("\n");
    // An app that cannot start throws the same again and again.
    this.#write(event, text === undefined || text !== this.#lastStack ? said : rest);
    this.#lastStack = text ?? this.#lastStack;
  }

  #write(event: string, said: NonNullable<Said>): void {
    this.#options.write({ event, ...said });
  }

  #entered(next: ClusterPhase): void {
    const { clock } = this.#options;
    const tookMs = clock.now() - this.#phaseSince;
    this.#phase = next.phase;
    this.#phaseSince = clock.now();
    this.#progress?.cancel();
    this.#said = "";
    switch (next.phase) {
      case "starting":
        this.#watch(() => this.#startProgress());
        return;
      case "running": {
        const { name, listeners, https, mode, instances, pid, admin } = this.#options.status();
        const where = listed(listeners.map(({ url }) => url));
        const app = instances.length === 0 ? "" : ` with ${counted(instances.length, "instance")}, ${mode} mode`;
        const what = `${name} listens on ${where}${app}, pid ${pid}`;
        this.#write("phase", general("info", what, { phase: "running", tookMs: Math.round(tookMs) }));
        if (admin !== null)
          this.#write("admin", general("info", `metrics at ${admin}/metrics; ${dashboardHint}`, { url: admin }));
        const root = https?.localRoot ?? null;
        const trust = root === null ? [] : localTrust(root, process.platform);
        for (const line of trust) this.#write("local-authority", general("info", line, { root }));
        return;
      }
      case "closing": {
        const { graceMs, delayMs, signal, successor } = next;
        if (successor !== undefined) {
          this.#isCeded = true;
          const what = `process ${successor} has the cluster now; this one, ${this.#options.status().pid}, drains for at most ${span(graceMs)}`;
          this.#write("phase", general("info", what, { phase: "closing", graceMs, successor }));
          this.#watch(() => this.#drainProgress());
          return;
        }
        const first = delayMs === 0 ? "" : `requests are taken for ${span(delayMs)} more, then `;
        const again = signal === undefined ? "" : "; a second signal ends it at once";
        const what = `${signal ?? "closing"}: ${first}draining, for at most ${span(graceMs)}${again}`;
        this.#write("phase", general("info", what, { phase: "closing", graceMs, delayMs, signal: signal ?? null }));
        this.#watch(() => this.#drainProgress());
        return;
      }
      case "closed": {
        const what = this.#isCeded ? `process ${this.#options.status().pid} has drained` : "all instances have ended";
        this.#write("phase", general("info", `${what}, after ${span(tookMs)}`, { phase: "closed" }));
        this.#repetitions.close();
        return;
      }
      case "failed":
        this.#repetitions.close();
        return;
    }
  }

  #watch(progress: () => string | undefined): void {
    this.#progress = this.#options.clock.after(progressMs, () => {
      const said = progress();
      if (said !== undefined && said !== this.#said) {
        this.#said = said;
        this.#write("progress", general("info", said));
      }
      this.#watch(progress);
    });
  }

  #startProgress(): string {
    return `starting: ${readiness(this.#options.status())} ready`;
  }

  #drainProgress(): string | undefined {
    const instances = allInstances(this.#options.status());
    const left = instances.filter(({ status }) => status.pid !== null);
    if (left.length === 0) return undefined;
    const busy = left.filter(({ status }) => status.inFlight > 0);
    const inFlight = busy.reduce((sum, { status }) => sum + status.inFlight, 0);
    const open = inFlight === 0 ? "" : `, ${counted(inFlight, "request")} in flight`;
    const awaited = (busy.length === 0 ? left : busy).map(({ name }) => name);
    return `draining: ${instances.length - left.length} of ${instances.length} ended${open}, waiting for ${instancesNamed(awaited)}`;
  }

  /** A new process serves in an instance's place; how that came about in a reload is told by the reload. */
  #instance({ id, state, pid }: InstanceStatus): void {
    if (state !== "ready" || this.#ready.get(id) === pid) return;
    const again = this.#ready.has(id);
    this.#ready.set(id, pid);
    if (this.#phase !== "running" || this.#reloading) return;
    this.#say("instance", about(id, "info", `instance ${id} is ready${again ? " again" : ""} (pid ${pid})`, { pid }));
  }
}
