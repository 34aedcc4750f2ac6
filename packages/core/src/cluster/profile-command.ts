import { createReadStream } from "node:fs";
import type { ProfileWish } from "../control/profile.ts";
import type { ProfileFacts } from "../ipc/profile-messages.ts";
import type { SlowRequests } from "../model/slow-requests.ts";
import type { Profiles } from "./profiles.ts";

/** What the control socket's `profile` tells before its result: the file, piece by piece. */
export interface ProfilePiece {
  readonly piece: string;
}

/** Its result: what the file was, or what is none. */
export type ProfileResult = ProfileFacts | SlowRequests;

/** Written as JSON in a line of JSON, six times as long at worst: that fits into a line. */
const pieceBytes = 131_072;

interface Teller {
  readonly tell: (event: ProfilePiece) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Takes a profile and tells it, as fast as it is read. */
export async function tellProfile(
  profiles: Profiles,
  wish: ProfileWish,
  { tell, signal }: Teller,
): Promise<ProfileResult> {
  const profile = await profiles.take(wish);
  if (profile.kind === "requests") return profile.requests;
  const { path, bytes, blockedMs, remove } = profile;
  try {
    const pieces = createReadStream(path, { encoding: "utf8", highWaterMark: pieceBytes });
    for await (const piece of pieces) {
      if (signal.aborted) break;
      await tell({ piece: piece as string });
    }
    return { bytes, blockedMs };
  } finally {
    await remove();
  }
}
