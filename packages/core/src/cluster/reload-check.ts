import type { Clock } from "../model/clock.ts";
import type { Address } from "../model/endpoint.ts";
import type { ReloadCheckSettings } from "../options/reload-check-options.ts";
import { ReloadError } from "../supervisor/reload-error.ts";
import { pause, probeNow, whatCame } from "./first-probe.ts";

export interface ReloadCheckParts {
  readonly settings: ReloadCheckSettings;
  readonly places: readonly CheckedPlace[];
  readonly clock: Clock;
  /** Nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

/** Where an instance answers plain HTTP. */
interface CheckedPlace {
  readonly slot: number;
  readonly address: Address;
}

/** One answer is not waited for longer than this. */
const answerMs = 5_000;
const pauseMs = 250;

/**
 * Asks new instances, which have all of the traffic, each by itself: what goes through the front would go to one of them. Resolves when
 * each has answered as it is to.
 *
 * @throws ReloadError `LB_RELOAD_CHECK` for the first that has not, in its time
 */
export async function checkInstances({ places, ...parts }: ReloadCheckParts): Promise<void> {
  await Promise.all(places.map((place) => checkInstance(place, parts)));
}

async function checkInstance(
  { slot, address }: CheckedPlace,
  { settings, clock, signal }: Omit<ReloadCheckParts, "places">,
): Promise<void> {
  const { path, withinMs, expect } = settings;
  const until = clock.now() + withinMs;
  const expectStatus = (status: number) =>
    expect.status === undefined ? status >= 200 && status <= 399 : status === expect.status;
  while (!signal.aborted) {
    const timeoutMs = Math.max(1, Math.min(answerMs, until - clock.now()));
    const probe = { path, timeoutMs, intervalMs: pauseMs, expectStatus, expectBody: expect.body };
    const probed = { settings: probe, address, clock };
    const result = await probeNow(probed);
    if (result.kind === "up") return;
    if (clock.now() + pauseMs >= until) {
      const what = `it does not pass the check (GET ${path}: ${whatCame(result)})`;
      throw new ReloadError({ code: "LB_RELOAD_CHECK", step: "check", what }, slot + 1);
    }
    await pause(probed);
  }
}
