import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Profile, ProfileWish } from "../control/profile.ts";
import type { ProcessProfileKind } from "../ipc/profile-messages.ts";
import type { Clock } from "../model/clock.ts";
import { LbError, OptionError } from "../model/errors.ts";
import type { SlowRequests } from "../model/slow-requests.ts";
import type { Slot } from "../supervisor/slot.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { Traffic } from "./traffic.ts";

export interface ProfilesOptions {
  readonly mode: "proxy" | "handoff";
  /** That of the app, `"app"`, or of a backend that is run here; `isApp`: lb sees into its instances. Undefined: there is none. */
  readonly groupOf: (name: string) => { readonly supervisor: Supervisor; readonly isApp: boolean } | undefined;
  readonly traffic: Traffic;
  /** Where files may be for a while: nobody else looks in there, and it goes with the cluster. */
  readonly directory: string;
  readonly clock: Clock;
}

const maxSeconds = 60;
const defaultSeconds = 10;
/** Beyond its time: a heap of gigabytes takes minutes to be written. */
const patienceMs: Readonly<Record<ProcessProfileKind, number>> = { cpu: 30_000, heap: 300_000 };
const maxBytes: Readonly<Record<ProcessProfileKind, number>> = { cpu: 268_435_456, heap: 4_294_967_296 };
/** Captures of requests that go on at a time. */
const maxCaptures = 8;

/** Looks into instances, one at a time in each. */
export class Profiles {
  readonly #options: ProfilesOptions;
  readonly #busy = new Set<Slot>();
  #captures = 0;
  #taken = 0;

  constructor(options: ProfilesOptions) {
    this.#options = options;
  }

  /**
   * @throws OptionError for a wish that is none
   * @throws LbError `LB_PROFILE_BUSY`, `LB_PROFILE_IMPOSSIBLE`, `LB_PROFILE_LOST`, `LB_PROFILE_FAILED`, `LB_PROFILE_TIMEOUT`
   */
  async take({ kind, backend = "app", id, seconds = defaultSeconds }: ProfileWish): Promise<Profile> {
    if (kind !== "cpu" && kind !== "heap" && kind !== "requests") {
      throw new OptionError("kind", kind, 'give "cpu", "heap" or "requests"');
    }
    if (typeof seconds !== "number" || !(seconds >= 1 && seconds <= maxSeconds)) {
      throw new OptionError("seconds", seconds, `give a number from 1 to ${maxSeconds}`);
    }
    const { supervisor, slot } = this.#looked(backend, id);
    if (kind === "requests") {
      if (backend !== "app")
        throw new OptionError("backend", backend, "requests are looked at of the app alone, or of all");
      return { kind, requests: await this.#slowest(seconds * 1_000, slot) };
    }
    if (slot === undefined) throw new OptionError("id", id, "give the number of an instance");
    if (this.#busy.has(slot)) {
      throw new LbError("LB_PROFILE_BUSY", `Another profile of instance ${slot.id} is being taken: wait for its end.`);
    }
    this.#busy.add(slot);
    return this.#takeOf({ supervisor, slot }, kind, seconds * 1_000).finally(() => this.#busy.delete(slot));
  }

  async #takeOf(
    { supervisor, slot }: Looked & { readonly slot: Slot },
    kind: ProcessProfileKind,
    ms: number,
  ): Promise<Profile> {
    const { directory, clock } = this.#options;
    this.#taken += 1;
    const path = join(directory, `${this.#taken}.profile`);
    const remove = () => rm(path, { force: true }).catch(() => {});
    const longestMs = (kind === "cpu" ? ms : 0) + patienceMs[kind];
    const taken = supervisor.profile(slot, { kind, ms, path, maxBytes: maxBytes[kind] }, longestMs);
    let timedOut = false;
    const tooLong = new Promise<never>((_, reject) => {
      const timer = clock.after(longestMs, () => {
        timedOut = true;
        const seconds = Math.round(longestMs / 1_000);
        reject(new LbError("LB_PROFILE_TIMEOUT", `Instance ${slot.id} has not given its profile within ${seconds} s.`));
      });
      // What comes too late is for nobody.
      const late = async () => {
        timer.cancel();
        if (timedOut) await remove();
      };
      taken.then(late, late);
    });
    try {
      return { kind, path, ...(await Promise.race([taken, tooLong])), remove };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  async #slowest(ms: number, slot: Slot | undefined): Promise<SlowRequests> {
    const { mode, traffic } = this.#options;
    if (mode === "handoff") {
      const remedy = "the option accessLog tells of each request, with its times";
      throw new LbError(
        "LB_PROFILE_IMPOSSIBLE",
        `In hand-off mode requests do not pass through the primary: ${remedy}.`,
      );
    }
    if (this.#captures >= maxCaptures) {
      throw new LbError("LB_PROFILE_BUSY", `${maxCaptures} others look at requests: wait for one of them.`);
    }
    this.#captures += 1;
    try {
      return await traffic.slowest(ms, slot === undefined ? undefined : slot.id - 1);
    } finally {
      this.#captures -= 1;
    }
  }

  #looked(backend: string, id: number | undefined): Looked {
    const group = this.#options.groupOf(backend);
    if (group === undefined) throw new OptionError("backend", backend, 'leave it out, or give "app"');
    if (!group.isApp) {
      const what = `${backend} is a program of its own, into which lb does not see: use the profiler of its language.`;
      throw new LbError("LB_PROFILE_IMPOSSIBLE", what);
    }
    const { supervisor } = group;
    if (id === undefined) return { supervisor, slot: undefined };
    const slot = supervisor.slots[id - 1];
    if (slot !== undefined) return { supervisor, slot };
    throw new OptionError("id", id, `give the number of an instance, from 1 to ${supervisor.slots.length}`);
  }
}

interface Looked {
  readonly supervisor: Supervisor;
  /** Undefined: all are meant. */
  readonly slot: Slot | undefined;
}
