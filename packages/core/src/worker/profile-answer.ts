import { maxProfileErrorLength, type ProfileOrder, type ProfileOutcome } from "../ipc/profile-messages.ts";
import type { Clock } from "../model/clock.ts";
import { takeProfile } from "./process-profile.ts";

interface Circumstances {
  /** The app runs in a process that this one has started, or in a thread of it. */
  readonly elsewhere: boolean;
  readonly clock: Clock;
}

/** Takes a profile of this process, and says what became of it. Never rejects. */
export async function answerProfile(order: ProfileOrder, { elsewhere, clock }: Circumstances): Promise<ProfileOutcome> {
  const { id } = order;
  try {
    if (elsewhere) {
      const remedy = "give that one --cpu-prof or --inspect";
      throw new Error(`its app listens in a process or thread of its own, not in the instance's: ${remedy}.`);
    }
    return { id, ...(await takeProfile(order, clock)) };
  } catch (error) {
    return { id, error: (error as Error).message.slice(0, maxProfileErrorLength) };
  }
}
