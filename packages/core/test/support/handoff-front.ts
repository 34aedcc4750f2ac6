import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Balancer, Lease } from "../../src/balancer/balancer.ts";
import { Admission } from "../../src/front/admission.ts";
import { DeadlineWheel } from "../../src/front/deadline-wheel.ts";
import { HandoffConnection } from "../../src/front/handoff/handoff-connection.ts";
import type {
  HandoffClient,
  HandoffContext,
  HandoffDecision,
  HandoffRefusal,
  HandoffTarget,
} from "../../src/front/handoff/handoff-context.ts";
import { HandoffLane, type HandoffLaneSettings, handoffLaneDefaults } from "../../src/front/handoff/handoff-lane.ts";
import { waitForWorker } from "../../src/front/handoff/waiting.ts";
import type { Responder } from "../../src/front/responder.ts";
import type { FrontSettings } from "../../src/front/settings.ts";
import { normaliseAddress } from "../../src/http/forwarding.ts";
import { type RequestHead, RequestHeadParser } from "../../src/http/request-head.ts";
import type { LoadReport } from "../../src/ipc/handoff-messages.ts";
import { internalEvent } from "../../src/ipc/internal-message.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { Endpoint } from "../../src/model/endpoint.ts";
import { isFailure } from "../../src/model/failure-conditions.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import type { LimitSettings } from "../../src/options/limit-options.ts";
import type { TimeoutSettings } from "../../src/options/timeout-options.ts";
import { defaultFrontSettings } from "./default-settings.ts";
import { createTestBalancer } from "./test-balancer.ts";

export interface HandoffFrontOptions {
  readonly workers: number;
  readonly timeouts?: Partial<TimeoutSettings>;
  readonly limits?: Partial<LimitSettings>;
  readonly settings?: Partial<FrontSettings>;
  /** How long a request waits for a worker. Default 5 s. */
  readonly maxWaitMs?: number;
  readonly lane?: Partial<HandoffLaneSettings>;
  /** Of the workers, besides our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The worker's program. Default: the fixture `handoff-worker.ts`. */
  readonly program?: string;
}

/** One worker of a {@link HandoffFront}, with what was booked for it besides the balancer's leases. */
export interface HandoffWorker {
  readonly endpoint: Endpoint;
  readonly child: ChildProcess;
  readonly lane: HandoffLane;
  readonly booked: Record<Outcome["kind"] | "begun", number>;
  readonly refusals: string[];
  report: LoadReport | undefined;
  reported?: (report: LoadReport) => void;
}

const fixture = fileURLToPath(new URL("../fixtures/handoff-worker.ts", import.meta.url));

/** A front that hands its connections off, over a balancer that takes its workers in turn. */
export class HandoffFront implements HandoffContext {
  draining = false;
  readonly settings: FrontSettings;
  readonly clock = systemClock;
  readonly observer = {};
  readonly responseRules = undefined;
  readonly responders: readonly Responder[];
  readonly wheel = new DeadlineWheel(systemClock);
  readonly parser: RequestHeadParser;
  readonly balancer: Balancer;
  readonly workers: HandoffWorker[] = [];
  readonly connections = new Set<HandoffClient>();
  /** Connections that came back from a worker. */
  returned = 0;
  readonly #options: HandoffFrontOptions;
  readonly #server: Server;
  #port = 0;

  constructor(options: HandoffFrontOptions) {
    this.#options = options;
    this.settings = {
      ...defaultFrontSettings,
      listeners: [],
      ...options.settings,
      timeouts: { ...defaultFrontSettings.timeouts, ...options.timeouts },
      limits: { ...defaultFrontSettings.limits, maxConnections: 100_000, ...options.limits },
    };
    this.responders = [new Admission(this.settings)];
    this.parser = new RequestHeadParser(this.settings.limits);
    this.balancer = createTestBalancer({ maxWaitMs: options.maxWaitMs ?? 5_000 });
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void this.#accept(socket));
  }

  get server(): Server {
    return this.#server;
  }

  async start(): Promise<number> {
    for (let slot = 0; slot < this.#options.workers; slot++) await this.addWorker();
    this.#server.listen({ host: "127.0.0.1", port: Number(process.env["P"] ?? 0), backlog: 4_096 });
    await once(this.#server, "listening");
    const address = this.#server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : 0;
    return this.#port;
  }

  async addWorker(): Promise<HandoffWorker> {
    const slot = this.workers.length;
    const address = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;
    const endpoint: Endpoint = Object.freeze({ id: `${slot}.1`, slot, incarnation: 1, weight: 1, address });
    const { program = fixture, env } = this.#options;
    const child = fork(program, [], { serialization: "json", execArgv: [], env: { ...process.env, ...env } });
    const booked = { begun: 0, response: 0, success: 0, failure: 0, cancelled: 0 };
    const lane = new HandoffLane({
      endpoint,
      child,
      wheel: this.wheel,
      settings: { ...handoffLaneDefaults, ...this.#options.lane },
      books: {
        begun: (count) => {
          booked.begun += count;
        },
        ended: (outcome, count) => {
          booked[isFailure(outcome) ? "failure" : outcome.kind] += count;
        },
        unanswered() {},
      },
      observer: {
        connectionReturned: (socket) => this.#returned(socket),
        requestsReported() {},
        linesReported() {},
        handshakesReported() {},
        loadReported: (report) => {
          worker.report = report;
          worker.reported?.(report);
        },
        cannotReturn: (detail) => void worker.refusals.push(detail),
        messageDropped() {},
        healthAsked: () => undefined,
      },
    });
    const worker: HandoffWorker = { endpoint, child, lane, booked, refusals: [], report: undefined };
    await once(child, "message");
    child.on(internalEvent as "message", (raw, handle) => void lane.receive(raw, handle));
    child.on("error", () => {});
    child.once("exit", () => this.retire(worker));
    this.workers.push(worker);
    this.#route([...this.balancer.roster.endpoints, endpoint]);
    return worker;
  }

  /** Takes it off the roster, as before a drain. */
  retire(worker: Pick<HandoffWorker, "endpoint">): void {
    this.#route(this.balancer.roster.endpoints.filter((other) => other !== worker.endpoint));
  }

  workerGone(lane: HandoffLane): void {
    this.retire(lane);
  }

  decide(request: RequestHead, tried: ReadonlySet<Endpoint> | undefined): HandoffDecision {
    let excluded: Set<Endpoint> | undefined = tried && new Set(tried);
    for (;;) {
      const found = this.balancer.acquire(request, excluded);
      if (found.kind !== "lease") return { kind: "wait" };
      const { lane } = this.#workerOf(found.endpoint);
      if (lane.accepting) return { kind: "target", lane, lease: found };
      excluded ??= new Set();
      const others = this.workers.some(({ lane: other, endpoint }) => other.accepting && !excluded?.has(endpoint));
      // Where nobody takes connections at the moment, one that is slow to do so is as good as any.
      if (!others) return { kind: "target", lane, lease: found };
      found.release({ kind: "cancelled" });
      excluded.add(found.endpoint);
    }
  }

  belongsTo(): boolean {
    return false;
  }

  staysWith({ endpoint }: HandoffLane, _request: RequestHead, tried: ReadonlySet<Endpoint> | undefined): boolean {
    return !this.workers.some(
      ({ lane, endpoint: other }) => other !== endpoint && lane.accepting && tried?.has(other) !== true,
    );
  }

  wait(request: RequestHead, decided: (decision: HandoffTarget | HandoffRefusal) => void): () => void {
    const targetOf = (lease: Lease): HandoffTarget => {
      return { kind: "target", lane: this.#workerOf(lease.endpoint).lane, lease };
    };
    return waitForWorker({ balancer: this.balancer, request, targetOf, decided });
  }

  connectionClosed(connection: HandoffClient): void {
    this.connections.delete(connection);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const connection of this.connections) connection.destroy();
    const exits = this.workers.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    });
    await Promise.all(exits);
    this.balancer.close();
    this.wheel.stop();
  }

  #accept(socket: Socket): HandoffConnection | undefined {
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return undefined;
    }
    const facts = {
      peerAddress: normaliseAddress(socket.remoteAddress),
      peerTrusted: false,
      encrypted: false,
      localPort: this.#port,
    };
    const connection = new HandoffConnection(socket, facts, this);
    this.connections.add(connection);
    return connection;
  }

  #returned(socket: Socket): void {
    this.returned++;
    this.#accept(socket)?.readHere();
  }

  #route(endpoints: readonly Endpoint[]): void {
    this.balancer.update(endpoints);
  }

  #workerOf(endpoint: Endpoint): HandoffWorker {
    return this.workers.find((worker) => worker.endpoint === endpoint)!;
  }
}

/** Ends with the test. */
export async function startHandoffFront(
  options: Partial<HandoffFrontOptions> = {},
): Promise<{ front: HandoffFront; port: number }> {
  const front = new HandoffFront({ workers: 2, ...options });
  onTestFinished(() => front.close());
  return { front, port: await front.start() };
}
