import { rmdir, unlink } from "node:fs";
import type { Server } from "node:http";
import { isIPv6, type Server as NetServer, Socket } from "node:net";
import { dirname } from "node:path";
import type { GateFacts, PrimaryMessage, Vitals } from "../ipc/messages.ts";
import type { WorkerFacts } from "../ipc/worker-facts.ts";
import type { Clock, Timer } from "../model/clock.ts";
import { contained, reportFaultsTo } from "./agent-faults.ts";
import { AppMetrics } from "./app-metrics.ts";
import { type App, AppOnOwnPort, appServer } from "./app-server.ts";
import { announceDrain, noteEnding } from "./drain-notices.ts";
import { faultNotices } from "./fault-notices.ts";
import { givenId } from "./given-id.ts";
import { handlerSpans } from "./handler-spans.ts";
import type { GateSettings } from "./handoff/handoff-gate.ts";
import { openHandoffIntake } from "./handoff/handoff-serving.ts";
import { noteHub } from "./hub-access.ts";
import { openWorkerHub } from "./hub-connection.ts";
import { type Intake, openIntake } from "./intake.ts";
import { childVariables } from "./listen/child-places.ts";
import { PortsOfThePrimary } from "./listen/further-ports.ts";
import { interceptListen } from "./listen/intercept-listen.ts";
import { Interception } from "./listen/interception.ts";
import { OwnPorts } from "./own-port/own-port.ts";
import { watchOwnPort } from "./own-port/own-port-watch.ts";
import { notePeers } from "./peers.ts";
import { openPrimaryIpc, type PrimaryIpc } from "./primary-ipc.ts";
import { closeUnlessApp, endProcess } from "./process-end.ts";
import { answerProfile } from "./profile-answer.ts";
import { RequestContext } from "./request-context.ts";
import { type Serving, type ServingElsewhere, serveElsewhere, serveHere } from "./serving.ts";
import { engineClients } from "./socket-io/engine-clients.ts";
import { noteSessionPrefix } from "./socket-io/own-session-prefix.ts";
import { redisReach } from "./socket-io/redis-notice.ts";
import { onSessions } from "./socket-io/session-notice.ts";
import { watchSocketIo } from "./socket-io/socket-io-watch.ts";
import { type SendSpans, SpanOutbox } from "./span-outbox.ts";
import { describeFailure, startFailure } from "./start-failure.ts";
import { StartNotices } from "./start-notices.ts";
import { watchStart } from "./start-watch.ts";
import { serveNobody, Unserving } from "./unserving.ts";
import { VitalSigns } from "./vitals.ts";

/** Which of the instances this process is. */
export interface Instance {
  /** 1…N, as in `INSTANCE_ID`. */
  readonly id: number;
  /** Its own port, as in `INSTANCE_PORT`. */
  readonly port: number;
  /** Where that port is, as in `HOST`. */
  readonly host: string;
}

/** An instance whose app is being started. */
export interface StartingInstance extends Instance {
  /**
   * Resolves when the app can be reached, with the server of this process that it listens with, or with the own port where
   * a process or a thread listens that the program has started. Where it is to serve nobody: when it has run for a while.
   */
  reachable(): Promise<NetServer | AppOnOwnPort | Unserving>;
  /** What the processes and threads that the program starts need in their environment. */
  childVariables(): Readonly<Record<string, string>>;
  /** Tells the primary at once, before this process ends, why the app will not start. */
  fail(error: unknown): void;
}

/** Makes the app. Runs in the workers only. */
export type StartApp = (instance: StartingInstance) => Started | PromiseLike<Started>;
type Started = App | AppOnOwnPort | Unserving;

type State =
  | { readonly kind: "starting" }
  /** The primary ends this process; if it cannot any more, `rejectStart` gets the error out. */
  | { readonly kind: "failed"; readonly rejectStart: () => void }
  | { readonly kind: "ready"; readonly serving: Serving }
  /** A signal asked us to end; the primary takes us off its roster and answers with `drain`. */
  | { readonly kind: "retiring"; readonly serving: Serving; readonly timer: Timer }
  | { readonly kind: "draining" };

export interface AgentOptions {
  readonly facts: WorkerFacts;
  /** Undefined in proxy mode, where the front sees to it. */
  readonly gate: ((told: GateFacts) => GateSettings) | undefined;
  readonly clock: Clock;
}

/** A primary that does not answer within this time (it is stopped, or blocked) is not waited for. */
const retireAnswerMs = 2_000;
/** From the drain's deadline to SIGKILL by our own hand; a primary does it earlier. */
const hardStopMarginMs = 5_000;

/** A terminal sends these to all processes at once; what they mean is the primary's to say, and it tells us. */
const ofTheGroup = ["SIGINT", "SIGHUP"] as const;

/** The library's part in a worker: starts the app, reports to the primary, and ends the process in good order. */
export class Agent {
  readonly #facts: WorkerFacts;
  readonly #gate: AgentOptions["gate"];
  readonly #gateTold: Promise<GateFacts>;
  #tellGate: (told: GateFacts) => void = () => {};
  readonly #clock: Clock;
  readonly #primary: PrimaryIpc;
  readonly #interception: Interception;
  readonly #furtherPorts: PortsOfThePrimary;
  readonly #notices: StartNotices;
  #state: State = { kind: "starting" };
  #signalled = false;
  #vitalSigns: VitalSigns | undefined;
  #announced: Promise<void> | undefined;
  #elsewhere: ServingElsewhere | undefined;
  readonly #requestContext: RequestContext | undefined;
  readonly #appMetrics: AppMetrics | undefined;
  readonly #spans: SpanOutbox | undefined;

  constructor({ facts, gate, clock }: AgentOptions) {
    this.#facts = facts;
    this.#gate = gate;
    this.#gateTold = new Promise((resolve) => {
      this.#tellGate = resolve;
    });
    noteSessionPrefix(facts.sessionPrefix);
    watchSocketIo(facts);
    const { requestIdHeader } = facts;
    const sendSpans: SendSpans = (spans, dropped) => void this.#primary.send({ type: "spans", spans, dropped });
    this.#spans = facts.traced ? handlerSpans(facts.slot + 1, new SpanOutbox(clock, sendSpans)) : undefined;
    this.#requestContext = requestIdHeader === undefined ? undefined : new RequestContext(givenId(requestIdHeader));
    noteHub(openWorkerHub({ path: facts.hubPath, endpointId: facts.endpointId, clock }));
    this.#clock = clock;
    this.#primary = openPrimaryIpc(facts.endpointId, {
      primaryMessage: (message, handle) => this.#told(message, handle),
      primaryGone: () => this.#primaryGone(),
    });
    this.#appMetrics = facts.appMetrics && new AppMetrics((message) => this.#primary.send(message));
    if (facts.sessionPrefix !== undefined) onSessions(() => void this.#primary.send({ type: "sessions" }));
    reportFaultsTo(faultNotices((fault) => void this.#primary.send({ type: "fault", fault }), clock));
    this.#notices = new StartNotices((notice) => void this.#primary.send({ type: "noticed", notice }));
    this.#furtherPorts = new PortsOfThePrimary((message) => void this.#primary.send(message));
    this.#interception = new Interception(
      {
        appPorts: new Set(this.#appPorts),
        own: { host: facts.host, port: facts.port },
        privatePath: (n) => `${facts.intakePath}.${n}`,
        hasApp: facts.unserving === undefined,
      },
      this.#furtherPorts,
      { clock, listened: (listened) => this.#notices.listened(listened) },
    );
    interceptListen(this.#interception);
    if (facts.pipedOutput) surviveLostOutput();
    process.on("SIGTERM", this.#terminated);
    for (const signal of ofTheGroup) process.on(signal, this.#toTheGroup);
  }

  /**
   * Resolves when the app serves. A failure is reported to the primary and this promise stays pending, since the primary
   * ends this process: one error, in one place.
   */
  async start(startApp: StartApp): Promise<Server | undefined> {
    const { host, port, ownPort, slot, unserving } = this.#facts;
    let opened: Server | undefined;
    const stopWatching = watchStart((error) => this.#fail(error), unserving);
    try {
      await this.#primary.send({ type: "hello" });
      if (unserving === undefined) await new OwnPorts((socket) => socket.destroy(), this.#clock).try({ host, port });
      const app = await startApp({
        id: slot + 1,
        host,
        port: ownPort,
        reachable: () => this.#reachable(),
        childVariables: () => this.#childVariables(),
        fail: (error) => this.#fail(error),
      });
      let serving: Serving;
      if (app instanceof Unserving) {
        serving = serveNobody;
      } else if (app instanceof AppOnOwnPort) {
        serving = this.#elsewhere = serveElsewhere(this.#facts, this.#clock);
      } else {
        const served = await appServer(app, this.#interception.app);
        opened = served.server;
        this.#interception.declareApp(opened);
        const openIntake = (server: Server) => this.#openIntake(server);
        this.#requestContext?.serve(opened);
        serving = await serveHere({ facts: this.#facts, app: served, openIntake, clock: this.#clock });
      }
      this.#state = { kind: "ready", serving };
      stopWatching();
      this.#notices.stop();
      this.#beginHeartbeat();
      const reach = serving === this.#elsewhere ? "own-port" : "link";
      await this.#primary.send({ type: "ready", reach });
      return serving.server;
    } catch (error) {
      stopWatching();
      opened?.close();
      const failure = startFailure(error);
      await this.#primary.send({ type: "failed", failure: describeFailure(failure) });
      if (!process.connected) throw failure;
      this.#primary.hold();
      return new Promise((_, reject) => {
        this.#state = { kind: "failed", rejectStart: () => reject(failure) };
      });
    }
  }

  #fail(error: unknown): void {
    void this.#primary.send({ type: "failed", failure: describeFailure(startFailure(error)) });
  }

  async #reachable(): Promise<NetServer | AppOnOwnPort | Unserving> {
    const { host, port, unserving } = this.#facts;
    if (unserving !== undefined) {
      await new Promise<void>((resolve) => void this.#clock.after(unserving.readyAfterMs, resolve));
      return new Unserving();
    }
    const watch = watchOwnPort({ host, port }, this.#clock);
    try {
      return await Promise.race([this.#interception.appListening(), watch.open.then(() => new AppOnOwnPort())]);
    } finally {
      watch.stop();
    }
  }

  get #appPorts(): number[] {
    const { port, ownPort, publicPort, unserving } = this.#facts;
    if (unserving !== undefined) return [];
    return [port, ownPort, publicPort, Number(process.env["PORT"])];
  }

  #childVariables(): Readonly<Record<string, string>> {
    const { host, port } = this.#facts;
    return childVariables({ appPorts: this.#appPorts, host, port });
  }

  #told(message: PrimaryMessage, handle: unknown): void {
    switch (message.type) {
      case "drain":
        this.#drain(message.graceMs);
        return;
      case "closing": {
        const state = this.#state;
        if (state.kind === "ready" || state.kind === "retiring") state.serving.drain.announceEnd();
        this.#announce(message.graceMs);
        return;
      }
      case "gate":
        this.#tellGate(message.gate);
        return;
      case "open-port": {
        const { host } = this.#facts;
        const state = this.#state;
        if (state.kind === "ready") state.serving.ownPorts.openWhenFree({ host, port: message.port });
        return;
      }
      case "unused":
        this.#elsewhere?.drain.noteUnused();
        return;
      case "shared-port":
        this.#furtherPorts.opened(message.place, message.errorCode);
        return;
      case "shared-connection":
        this.#furtherPorts.arrived(message.place, handle instanceof Socket ? handle : undefined);
        return;
      case "peers":
        notePeers(message);
        return;
      case "tell-metrics":
        void this.#appMetrics?.tell(message.asked);
        return;
      case "profile":
        void answerProfile(message.order, { elsewhere: this.#elsewhere !== undefined, clock: this.#clock }).then(
          (outcome) => this.#primary.send({ type: "profiled", outcome }),
        );
        return;
      case "ending":
        noteEnding();
        return;
    }
  }

  readonly #toTheGroup = () => {};

  #beginHeartbeat(): void {
    const { heartbeatMs } = this.#facts;
    if (heartbeatMs === 0) return;
    const send = (vitals: Vitals) => {
      const sessions = engineClients();
      const redis = redisReach();
      const more = { ...(sessions !== undefined && { sessions }), ...(redis !== undefined && { redis }) };
      void this.#primary.send({ type: "vitals", vitals: { ...vitals, ...more } });
    };
    this.#vitalSigns = new VitalSigns({ clock: this.#clock, intervalMs: heartbeatMs, send });
  }

  async #openIntake(server: Server): Promise<Intake> {
    const [facts, clock] = [this.#facts, this.#clock];
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : facts.ownPort;
    const local = { address: facts.host, family: isIPv6(facts.host) ? "IPv6" : "IPv4", port };
    if (this.#gate === undefined) return openIntake({ path: facts.intakePath, server, local, clock });
    return openHandoffIntake({ facts, server, gate: this.#gate(await this.#gateTold), spans: this.#spans, clock });
  }

  /**
   * The first one asks for an end in good order, whoever began the drain: it goes to all processes of a service (systemd's default `KillMode`), and
   * comes before or after the primary's order. The second one is meant as it is anywhere.
   */
  readonly #terminated = contained("SIGTERM", () => {
    const state = this.#state;
    const again = this.#signalled;
    this.#signalled = true;
    switch (state.kind) {
      case "ready": {
        const timer = this.#clock.after(retireAnswerMs, () => this.#drain(this.#facts.drainTimeoutMs));
        this.#state = { kind: "retiring", serving: state.serving, timer };
        void this.#primary.send({ type: "retiring" });
        return;
      }
      case "draining":
        if (again) this.#endNow();
        return;
      case "starting":
      case "failed":
      case "retiring":
        this.#endNow();
        return;
    }
  });

  #primaryGone(): void {
    const state = this.#state;
    switch (state.kind) {
      case "starting":
        process.kill(process.pid, "SIGTERM");
        return;
      case "failed":
        state.rejectStart();
        return;
      case "ready":
      case "retiring":
        this.#drain(this.#facts.drainTimeoutMs);
        return;
      case "draining":
        return;
    }
  }

  /** Once: the end of the cluster is announced before the drain. */
  #announce(graceMs: number): Promise<void> {
    if (this.#announced === undefined) {
      this.#announced = announceDrain({ graceMs }, this.#clock);
      this.#announced.catch(() => {});
    }
    return this.#announced;
  }

  #drain(graceMs: number): void {
    const state = this.#state;
    switch (state.kind) {
      case "ready":
      case "retiring": {
        if (state.kind === "retiring") state.timer.cancel();
        this.#state = { kind: "draining" };
        void this.#finish(state.serving, graceMs);
        return;
      }
      case "starting":
      case "failed":
      case "draining":
        // Whoever has nothing in flight is ended by signals; one drain is enough.
        return;
    }
  }

  /** Rejects only with what the app's own listeners and the framework's own `close` reject with: they are its to see. */
  async #finish({ server, intake, drain, close }: Serving, graceMs: number): Promise<void> {
    const clock = this.#clock;
    clock.after(graceMs + hardStopMarginMs, () => process.kill(process.pid, "SIGKILL"));
    const noticed = this.#announce(graceMs);
    // Whatever comes of it is known below, after the drain.
    const sessionsEnded = noticed.catch(() => {});
    await drain.run({ sessionsEnded, graceMs });
    await noticed;
    await close?.();
    const { stopSignal } = this.#facts;
    if (server !== undefined) await closeUnlessApp(server, { stopSignal, ours: [this.#terminated, this.#toTheGroup] });
    await this.#appMetrics?.end(clock);
    intake.end();
    this.#spans?.flush();
    this.#release();
    // A living primary removes its directory itself, and may still need it.
    if (!process.connected) {
      const { hubPath, intakePath } = this.#facts;
      unlink(hubPath, () => rmdir(dirname(intakePath), () => {}));
    }
    const elsewhere = this.#elsewhere !== undefined;
    endProcess({ server, elsewhere, stopSignal, signalled: this.#signalled, clock });
  }

  /** As if we had never listened: the app's own handlers have been called, else the default action is due. */
  #endNow(): void {
    this.#release();
    if (process.listenerCount("SIGTERM") === 0) process.kill(process.pid, "SIGTERM");
  }

  #release(): void {
    this.#vitalSigns?.stop();
    process.off("SIGTERM", this.#terminated);
    for (const signal of ofTheGroup) process.off(signal, this.#toTheGroup);
    this.#primary.release();
  }
}

/** A primary that is gone reads nothing any more, and what cannot be written must not end a drain. */
function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
