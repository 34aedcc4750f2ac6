import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { IncidentBook } from "../../alerts/incident-book.ts";
import { Outbox } from "../../alerts/outbox.ts";
import type { ClusterSight } from "../../control/cluster-sight.ts";
import type { ClusterEventMap } from "../../events/cluster-event-map.ts";
import type { ClusterEvents } from "../../events/cluster-events.ts";
import type { Alert, AlertMessage, AlertTrial } from "../../model/alert.ts";
import { type Clock, every, type Timer, type WallClock } from "../../model/clock.ts";
import type { Random } from "../../model/random.ts";
import { Delivery, messageOf } from "../../notify/delivery.ts";
import { messageText } from "../../notify/message-text.ts";
import type { Messenger } from "../../notify/messenger.ts";
import type { AlertSettings } from "../../options/alert-options.ts";
import { noteEvents } from "./event-readings.ts";
import { incidentRules } from "./incident-rules.ts";
import {
  backendReadings,
  certificateReadings,
  instanceReadings,
  loopReadings,
  type Machine,
  machineReadings,
  redisReadings,
  subjectsOf,
  trafficReadings,
} from "./readings.ts";

export interface AlertingOptions {
  readonly settings: AlertSettings;
  readonly messengers: readonly Messenger[];
  /** The cluster's. */
  readonly name: string;
  readonly sight: ClusterSight;
  readonly machine: Machine;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
}

/** What is measured is measured as often. */
const lookMs = 1_000;

/** What is not sent by then when the cluster ends is not sent. */
const endMs = 2_000;

/** Looks at a cluster that runs, and has those told who want to know when something is wrong. */
export class Alerting {
  readonly #options: AlertingOptions;
  readonly #book: IncidentBook;
  readonly #outbox: Outbox;
  readonly #deliveries: readonly Delivery[];
  #looks: Timer | undefined;

  constructor(options: AlertingOptions) {
    const { settings, messengers, events, clock, wallClock, random } = options;
    this.#options = options;
    this.#deliveries = messengers.map((messenger) => {
      return new Delivery({ messenger, clock, random, failed: (failure) => events.emit("alert-failed", failure) });
    });
    const { digest, quietHours } = settings;
    const send = (alerts: readonly Alert[], omitted: number) => this.#send(alerts, omitted);
    this.#outbox = new Outbox({ digest, quietHours, clock, wallClock, send });
    const tell = (alert: Alert) => {
      events.emit("alert", alert);
      this.#outbox.add(alert);
    };
    this.#book = new IncidentBook({ rules: incidentRules(settings.on), clock, wallClock, tell });
  }

  /** The cluster stands: what is wrong from now on is an incident. */
  begin(): void {
    const { events, clock } = this.#options;
    this.#looks = every(clock, lookMs, () => this.#look());
    noteEvents(events, (reading) => {
      if (this.#looks !== undefined) this.#book.note(reading);
    });
  }

  /** Sends a message to all targets now, beside all others, and tells what each said. */
  test(): Promise<readonly AlertTrial[]> {
    const { messengers, clock } = this.#options;
    const message = this.#message("test", [], 0);
    return Promise.all(
      messengers.map(async ({ name: target }, at) => {
        const began = clock.now();
        const error = await this.#deliveries[at]!.attempt(message).then(() => null, messageOf);
        return { target, error, tookMs: Math.round(clock.now() - began) };
      }),
    );
  }

  /** Nothing that happens from now on is an incident. Resolves when all was sent that waits, or could not be for a while. */
  async end(): Promise<void> {
    this.#looks?.cancel();
    this.#looks = undefined;
    this.#outbox.flush();
    await Promise.all(this.#deliveries.map((delivery) => delivery.end(endMs)));
  }

  #look(): void {
    const { sight, machine, settings, wallClock } = this.#options;
    const status = sight.standing();
    const look = { sight, machine, on: settings.on, now: wallClock() };
    const readings = [
      ...instanceReadings(status),
      ...backendReadings(status),
      ...trafficReadings(look),
      ...machineReadings(look),
      ...loopReadings(look, status),
      ...redisReadings(status),
      ...certificateReadings(look, status),
    ];
    for (const reading of readings) this.#book.note(reading);
    for (const [rule, subjects] of subjectsOf(status, readings)) this.#book.only(rule, subjects);
    this.#book.tick();
  }

  #send(alerts: readonly Alert[], omitted: number): void {
    const message = this.#message("alerts", alerts, omitted);
    for (const delivery of this.#deliveries) delivery.add(message);
  }

  #message(kind: AlertMessage["kind"], alerts: readonly Alert[], omitted: number): AlertMessage {
    const { name: cluster, wallClock } = this.#options;
    const host = hostname();
    const test = `${cluster} on ${host}: this is a test, nothing is wrong`;
    return {
      version: 1,
      id: randomUUID(),
      kind,
      cluster,
      host,
      at: new Date(wallClock()).toISOString(),
      text: kind === "test" ? test : messageText({ cluster, host }, alerts, omitted),
      alerts,
      omitted,
    };
  }
}
