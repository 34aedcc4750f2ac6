import { type ChildProcess, fork, type SendHandle } from "node:child_process";
import { isatty } from "node:tty";
import { readWorkerMessage, wrap } from "../ipc/envelope.ts";
import { expectReceipt } from "../ipc/handle-receipts.ts";
import { internalEvent } from "../ipc/internal-message.ts";
import {
  type Announcement,
  type GateFacts,
  maxNotices,
  type PrimaryMessage,
  type Reach,
  type SharedPlace,
  type StartNotice,
} from "../ipc/messages.ts";
import type { ProfileFacts } from "../ipc/profile-messages.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { Span } from "../model/span.ts";
import { guardChannel } from "./channel-guard.ts";
import type { GroupGuard } from "./group-guard.ts";
import { endGroup, hasGroups, signalGroup } from "./process-group.ts";
import type { SharedPorts, Sharer } from "./shared-ports.ts";
import { type MissingStep, whyNotReady } from "./why-not-ready.ts";
import type { FirstProbe, WantedProfile, WorkerExit, WorkerObserver, WorkerProcess } from "./worker-contract.ts";
import type { WorkerEntry } from "./worker-entry.ts";
import type { OutputReader } from "./worker-output.ts";
import { WorkerProfiles } from "./worker-profiles.ts";
import { hintAfterMs, killMarginMs, terminateMs } from "./worker-times.ts";

/** As {@link MissingStep}, without what is known of it. Of one that serves nobody `server` means that it runs. */
type Step = "call" | "server" | "ready-message" | "probe";

/** Those that it has started and that are left when it was told to end. */
const politely = { ms: 1_000, told: false };
/** After the exit, what is still in the channel is read: a report of failure may be in there. */
const lastMessagesMs = 1_000;

/** What a process with our agent in it is started with. */
export interface ForkSpec {
  /** The incarnation that the process will be. */
  readonly endpointId: string;
  /** 1…N. */
  readonly instance: number;
  readonly entry: WorkerEntry;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly startTimeoutMs: number;
  /** Told to a worker of hand-off mode by its channel. */
  readonly gate: GateFacts | undefined;
  /** The app says itself when it is ready, by `process.send("ready")`. */
  readonly waitReady: boolean;
  /** It is to listen; else it is ready when it has run for a while. */
  readonly serves: boolean;
  /** Gets what it writes; undefined: it writes where this process does. */
  readonly output: OutputReader | undefined;
  /** Begins to ask an app that listens whether it can answer; undefined: that is taken for granted. */
  readonly firstProbe: (() => FirstProbe) | undefined;
  /** Resolves when no request is in flight on the worker that was routed to it. */
  readonly unused: () => Promise<void>;
  /** Where it opens ports that it shares with the others. */
  readonly sharedPorts: SharedPorts;
  /** What a worker that lost its primary gives itself to drain. */
  readonly drainTimeoutMs: number;
  /** Called when it says that it has Engine.IO. */
  readonly keepsSessions: () => void;
  /** It has made spans, and had no room for so many. */
  readonly spans: (spans: readonly Span[], dropped: number) => void;
}

/**
 * A terminal is one person's, and several instances that read from it would share what is typed. In a group of their own they
 * would even take it from whatever else runs there.
 */
const input = isatty(0) ? "ignore" : "inherit";

interface Surroundings {
  readonly clock: Clock;
  /** Told of the processes. */
  readonly guard: GroupGuard;
}

/** A process with our agent in it. */
export class ForkedWorker implements WorkerProcess {
  readonly #spec: ForkSpec;
  readonly #observer: WorkerObserver;
  readonly #clock: Clock;
  readonly #guard: GroupGuard;
  readonly #child: ChildProcess | undefined;
  /** `settled`: the start has its result, and no other is taken. */
  #phase: "starting" | "settled" | "exited" = "starting";
  /** What it still has to do before it is ready, in that order but for what the app says, which may come first. */
  readonly #awaited: Set<Step>;
  #probe: FirstProbe | undefined;
  #attached = true;
  #reach: Reach = "link";
  #draining = false;
  /** It has asked for ports that it shares. */
  #sharer: Sharer | undefined;
  readonly #profiles: WorkerProfiles;
  /** It was to end in good order. */
  #toldToEnd = false;
  #startTimer: Timer | undefined;
  #hintTimer: Timer | undefined;
  /** What its program did so far. */
  readonly #notices: StartNotice[] = [];
  #killTimer: Timer | undefined;

  constructor(spec: ForkSpec, observer: WorkerObserver, { clock, guard }: Surroundings) {
    this.#spec = spec;
    this.#observer = observer;
    this.#clock = clock;
    this.#guard = guard;
    this.#profiles = new WorkerProfiles(spec.instance);
    this.#awaited = new Set(["call", "server"]);
    if (spec.waitReady) this.#awaited.add("ready-message");
    if (spec.firstProbe !== undefined) this.#awaited.add("probe");
    let child: ChildProcess;
    try {
      child = fork(spec.entry.file, spec.entry.args, {
        cwd: spec.entry.cwd,
        env: spec.env,
        execArgv: [...spec.entry.execArgv],
        serialization: "json",
        detached: hasGroups,
        stdio: spec.output === undefined ? [input, "inherit", "inherit", "ipc"] : [input, "pipe", "pipe", "ipc"],
      });
      spec.output?.read(spec.instance, child);
    } catch (error) {
      clock.after(0, () => this.#exit({ exitCode: null, signal: null, spawnError: error as Error }));
      return;
    }
    this.#child = child;
    if (child.pid !== undefined) guard.watch(child.pid);
    guardChannel(child, (error) => {
      if (this.#phase !== "exited") observer.workerBroken(error);
    });
    this.#startTimer = clock.after(spec.startTimeoutMs, () => observer.workerStartTimedOut(this.#whyNotReady));
    if (spec.startTimeoutMs > hintAfterMs) {
      this.#hintTimer = clock.after(hintAfterMs, () => observer.workerStartsSlowly(this.#whyNotReady));
    }
    child.on(internalEvent as "message", (raw) => this.#receive(raw));
    child.on("message", (message, handle) => {
      if (handle !== undefined) closeHandle(handle);
      if (this.#phase === "exited") return;
      observer.workerMessage(message);
      if (message === "ready" && this.#phase === "starting") this.#done("ready-message");
    });
    child.on("disconnect", () => this.#detach());
    child.on("error", (error) => {
      // Also emitted when a signal or a message could not be sent, which only matters if there never was a process.
      if (child.pid === undefined) this.#exit({ exitCode: null, signal: null, spawnError: error });
    });
    child.on("exit", (exitCode, signal) => {
      const exit = { exitCode, signal, spawnError: undefined };
      this.#detach();
      if (!child.connected) {
        this.#exit(exit);
        return;
      }
      const timer = clock.after(lastMessagesMs, () => this.#exit(exit), { keepAlive: true });
      child.once("disconnect", () => {
        timer.cancel();
        this.#exit(exit);
      });
    });
  }

  get child(): ChildProcess | undefined {
    return this.#child;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  drain(graceMs: number): void {
    this.#toldToEnd = true;
    this.#settleStart();
    this.#leaveSharedPorts();
    this.#killAfter(graceMs + killMarginMs);
    this.#send({ type: "drain", graceMs });
    // Over the link it sees its requests itself.
    if (this.#reach === "own-port") void this.#spec.unused().then(() => this.#send({ type: "unused" }));
  }

  openPort(port: number): void {
    this.#send({ type: "open-port", port });
  }

  tell(announcement: Announcement): void {
    this.#send(announcement);
  }

  send(message: unknown): boolean {
    const child = this.#child;
    if (child?.connected !== true) return false;
    child.send(message as object, () => {});
    return true;
  }

  profile(wanted: WantedProfile): Promise<ProfileFacts> {
    return this.#profiles.ask(wanted, (order) => this.#send({ type: "profile", order }));
  }

  signal(signal: NodeJS.Signals): boolean {
    return this.#child?.kill(signal) ?? false;
  }

  terminate(): void {
    this.#toldToEnd = true;
    this.#settleStart();
    this.#killAfter(terminateMs);
    this.#child?.kill("SIGTERM");
  }

  kill(): void {
    const { pid } = this;
    if (pid === undefined || !signalGroup(pid, "SIGKILL")) this.#child?.kill("SIGKILL");
  }

  /** A closed channel needs no answer here: a worker that lost it drains by itself, and the deadlines hold anyway. */
  #send(message: PrimaryMessage): void {
    this.#child?.send(wrap(this.#spec.endpointId, message), () => {});
  }

  async #share(place: SharedPlace): Promise<void> {
    if (!this.#attached || this.#draining) return;
    this.#sharer ??= this.#asSharer(this.#child!);
    const errorCode = await this.#spec.sharedPorts.share(place, this.#sharer);
    this.#send(errorCode === undefined ? { type: "shared-port", place } : { type: "shared-port", place, errorCode });
  }

  #asSharer(child: ChildProcess): Sharer {
    const { endpointId } = this.#spec;
    return {
      child,
      give: (place, socket, settled) => {
        expectReceipt(child, (receipt) => settled(receipt === "received"));
        const message = wrap(endpointId, { type: "shared-connection", place });
        child.send(message, socket, { keepOpen: true }, (error) => error !== null && settled(false));
      },
    };
  }

  #leaveSharedPorts(): void {
    this.#draining = true;
    if (this.#sharer !== undefined) this.#spec.sharedPorts.leaveAll(this.#sharer);
  }

  #killAfter(ms: number): void {
    this.#killTimer?.cancel();
    this.#killTimer = this.#clock.after(ms, () => this.kill(), { keepAlive: true });
  }

  #receive(raw: unknown): void {
    if (this.#phase === "exited") return;
    const received = readWorkerMessage(raw, this.#spec.endpointId);
    if (received.kind === "foreign") return;
    if (received.kind === "dropped") {
      this.#observer.workerMessageDropped();
      return;
    }
    const { message } = received;
    switch (message.type) {
      case "hello":
        this.#awaited.delete("call");
        if (this.#spec.gate !== undefined) this.#send({ type: "gate", gate: this.#spec.gate });
        return;
      case "noticed":
        if (this.#notices.length < maxNotices) this.#notices.push(message.notice);
        return;
      case "ready":
        if (this.#phase !== "starting" || !this.#awaited.has("server")) return;
        this.#reach = message.reach;
        this.#probe = this.#spec.firstProbe?.();
        void this.#probe?.passed.then(() => this.#done("probe"));
        this.#done("server");
        return;
      case "failed":
        if (this.#settleStart()) this.#observer.workerFailed(message.failure);
        return;
      case "sessions":
        this.#spec.keepsSessions();
        return;
      case "spans":
        this.#spec.spans(message.spans, message.dropped);
        return;
      case "fault":
        this.#observer.workerFault(message.fault);
        return;
      case "profiled":
        this.#profiles.settle(message.outcome);
        return;
      case "vitals":
        this.#observer.workerVitals(message.vitals);
        return;
      case "has-metrics":
        this.#observer.workerMetrics(undefined);
        return;
      case "metrics":
        this.#observer.workerMetrics({ asked: message.asked, text: message.text });
        return;
      case "share-port":
        void this.#share(message.place);
        return;
      case "leave-port":
        if (this.#sharer !== undefined) this.#spec.sharedPorts.leave(message.place, this.#sharer);
        return;
      case "retiring":
        if (this.#phase === "settled") this.#observer.workerRetiring();
        return;
    }
  }

  get #whyNotReady(): string {
    return whyNotReady(this.#missing, this.#notices);
  }

  get #missing(): MissingStep {
    const [first = "server"] = this.#awaited;
    if (first === "probe") return { probe: this.#probe!.found };
    return this.#spec.serves || first === "call" ? first : `worker-${first}`;
  }

  #done(step: Step): void {
    this.#awaited.delete(step);
    if (this.#awaited.size === 0 && this.#settleStart()) this.#observer.workerReady(this.#reach);
  }

  /** False when it was settled before: the message that comes now is out of order. */
  #settleStart(): boolean {
    if (this.#phase !== "starting") return false;
    this.#phase = "settled";
    this.#probe?.stop();
    this.#startTimer?.cancel();
    this.#hintTimer?.cancel();
    return true;
  }

  /** A worker that lost its channel ends by itself, after a drain if it served; the timer makes sure of it. */
  #detach(): void {
    if (!this.#attached || this.#phase === "exited") return;
    this.#attached = false;
    this.#profiles.lost();
    this.#leaveSharedPorts();
    const graceMs = this.#phase === "starting" ? 0 : this.#spec.drainTimeoutMs;
    if (this.#killTimer === undefined) this.#killAfter(graceMs + killMarginMs);
    this.#observer.workerDetached();
  }

  /** What it started ends before anybody hears of it: a successor may need the same ports. */
  #exit(exit: WorkerExit): void {
    if (this.#phase === "exited") return;
    this.#probe?.stop();
    this.#startTimer?.cancel();
    this.#hintTimer?.cancel();
    this.#phase = "exited";
    const { pid } = this;
    const done = () => {
      this.#killTimer?.cancel();
      if (pid !== undefined) this.#guard.forget(pid);
      this.#observer.workerExited(exit);
    };
    if (pid === undefined) done();
    else endGroup({ leader: pid, grace: this.#toldToEnd ? politely : undefined, clock: this.#clock }, done);
  }
}

/** Nobody here has a use for what an app sends along with a message; it would stay open for ever. */
function closeHandle(handle: NonNullable<SendHandle>): void {
  if ("destroy" in handle) handle.destroy();
  else handle.close();
}
