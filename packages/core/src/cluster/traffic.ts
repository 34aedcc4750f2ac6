import type { TrafficCounts, TrafficTotals } from "../facts/traffic-counts.ts";
import { isEligible } from "../health/state.ts";
import { backendEndpointId } from "../model/backend-endpoint-id.ts";
import type { Challenges, IssuedCertificate } from "../model/challenges.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import type { SlowRequests } from "../model/slow-requests.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import type { PlaneEstate, PlaneFact, PlaneOrder, PlaneStatus } from "../plane/plane-messages.ts";
import { receivedError } from "../plane/sent-error.ts";
import type { TrafficPlane, WorkerChannels } from "../plane/traffic-plane.ts";

/** An order that is answered, before it has its number. */
type Question =
  Extract<PlaneOrder, { readonly id: number }> extends infer Order
    ? Order extends { readonly id: number }
      ? Omit<Order, "id">
      : never
    : never;

type Answer = Extract<PlaneFact, { readonly kind: "answer" | "captured" | "estate" }>;

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** The traffic as the rest of the cluster sees it: what is asked of the plane is a call, and its answers are promises. */
export class Traffic {
  readonly #plane: TrafficPlane;
  readonly #pending = new Map<number, Pending>();
  #asked = 0;

  constructor(plane: TrafficPlane) {
    this.#plane = plane;
    plane.subscribe((fact) => this.#settle(fact));
  }

  /** See {@link TrafficPlane.use}. */
  use(settings: ClusterSettings): void {
    this.#plane.use(settings);
  }

  /** Returns the unsubscribe call. */
  subscribe(listener: (fact: PlaneFact) => void): () => void {
    return this.#plane.subscribe(listener);
  }

  status(): PlaneStatus {
    return this.#plane.status();
  }

  /** What has passed since the cluster began. */
  counts(): TrafficCounts {
    return this.#plane.counts();
  }

  /** Of all of it together. */
  totals(): TrafficTotals {
    return this.#plane.totals();
  }

  /**
   * Opens the public listeners, and resolves with where they are, in the order of the settings. Requests wait in the balancer's
   * queue until somebody can take them.
   *
   * @throws Error with the system's code, e.g. `EADDRINUSE`, and the listener's place among them as `listener`
   */
  async listen(): Promise<readonly ListenerAddress[]> {
    const answer = await this.#ask({ kind: "listen" });
    return answer.kind === "answer" ? (answer.listeners ?? []) : [];
  }

  /** Accepts from the sockets that were handed over, which `listen` has not begun. */
  async accept(): Promise<void> {
    await this.#ask({ kind: "accept" });
  }

  /** What another primary needs to go on where this one is. */
  async estate(): Promise<PlaneEstate> {
    const answer = await this.#ask({ kind: "tell-estate" });
    return answer.kind === "estate" ? answer : { descriptors: [], ticketKeys: [] };
  }

  /** @throws LbError `LB_ACCESS_LOG`: it cannot be written where the option says */
  async openAccessLog(): Promise<void> {
    await this.#ask({ kind: "open-access-log" });
  }

  order(order: Exclude<PlaneOrder, { readonly id: number }>, channels?: WorkerChannels): void {
    this.#plane.send(order, channels);
  }

  /** Calls `unhealthy` when its health keeps traffic from the endpoint. Returns the call that ends the watch. */
  watch({ id }: Pick<Endpoint, "id">, unhealthy: (why: string) => void): () => void {
    return this.#plane.subscribe((fact) => {
      const about =
        fact.kind === "health"
          ? fact.endpoint
          : fact.kind === "backend-health" && backendEndpointId(fact.backend, fact.endpoint);
      if (about !== id || !("to" in fact) || isEligible(fact.to)) return;
      unhealthy(fact.to.kind === "ejected" ? `ejected for ${fact.to.cause}` : "its health checks fail");
    });
  }

  /** Resolves when what the endpoint has in flight has been answered; tunnels are not waited for. */
  async settled({ id }: Pick<Endpoint, "id">): Promise<void> {
    await this.#ask({ kind: "settle", endpoint: id });
  }

  /** Resolves when the endpoint has left the roster, and nothing is in flight on it. */
  async drained({ id }: Pick<Endpoint, "id">): Promise<void> {
    await this.#ask({ kind: "drain", endpoint: id });
  }

  /** @throws Error with the code `LB_CERTIFICATE` if one cannot be used; then all stays as it was */
  async rereadCertificates(): Promise<void> {
    await this.#ask({ kind: "reread-certificates" });
  }

  /** Resolves when handshakes get these. @throws Error with the code `LB_CERTIFICATE` if one cannot be used; then all stays as it was */
  async setCertificates(certificates: readonly CertificateSettings[]): Promise<void> {
    await this.#ask({ kind: "set-certificates", certificates });
  }

  /** Resolves when handshakes get it. @throws Error with the code `LB_CERTIFICATE` if it cannot be used */
  async useCertificate(certificate: IssuedCertificate): Promise<void> {
    await this.#ask({ kind: "use-certificate", certificate });
  }

  /** Resolves when certificate authorities are answered by these, and by no others. */
  async present(challenges: Challenges): Promise<void> {
    await this.#ask({ kind: "challenges", challenges });
  }

  /** The slowest requests of the next so many milliseconds, of this slot's instances or of all. */
  async slowest(ms: number, slot: number | undefined): Promise<SlowRequests> {
    const answer = await this.#ask({ kind: "capture", ms, ...(slot !== undefined && { slot }) });
    return answer.kind === "captured" ? answer.captured : { ms, requests: 0, slowest: [] };
  }

  /** Takes nothing new, and lets requests finish. Resolves when nothing is open but tunnels, at the latest after `graceMs`. */
  async quiesce(graceMs: number): Promise<void> {
    await this.#ask({ kind: "quiesce", graceMs });
  }

  /** Cuts what is left. */
  async close(): Promise<void> {
    await this.#ask({ kind: "close" });
  }

  #ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = ++this.#asked;
      this.#pending.set(id, { resolve, reject });
      this.#plane.send({ ...question, id });
    });
  }

  #settle(fact: PlaneFact): void {
    if (fact.kind !== "answer" && fact.kind !== "captured" && fact.kind !== "estate" && fact.kind !== "failed") return;
    const pending = this.#pending.get(fact.id);
    this.#pending.delete(fact.id);
    if (fact.kind !== "failed") pending?.resolve(fact);
    else pending?.reject(receivedError(fact.error));
  }
}
