import { createReadStream } from "node:fs";
import type { Profile, ProfileWish } from "../control/profile.ts";
import type { AdminAction } from "../events/admin-action.ts";
import { failureOf } from "./failure.ts";
import { errorAnswer, jsonAnswer, type PageAnswer, type PostPage } from "./page.ts";

export interface ProfilePageOptions {
  readonly take: (wish: ProfileWish) => Promise<Profile>;
  /** Told of each of them, whatever became of it. */
  readonly audit: (action: AdminAction) => void;
}

const endings = { cpu: "cpuprofile", heap: "heapsnapshot" } as const;

/** A profile of an instance, as a file to be kept; answers when it is taken. */
export function profilePage({ take, audit }: ProfilePageOptions): PostPage {
  return async ({ body: { instance, backend, kind, seconds }, by, address, signal }) => {
    const given = { instance, backend, kind, seconds };
    const named = Object.fromEntries(Object.entries(given).filter(([, value]) => isPlain(value)));
    const told = { action: "profile", arguments: named, by, address };
    try {
      // What it is to be is judged there.
      const wish = { kind, ...named } as unknown as ProfileWish & { readonly instance?: number };
      const { instance: id, ...rest } = wish;
      const profile = await take(id === undefined ? rest : { ...rest, id });
      audit({ ...told, outcome: "done" });
      if (profile.kind === "requests") return jsonAnswer({ requests: profile.requests });
      return await file(profile, { called: instance, gone: signal.aborted });
    } catch (error) {
      const { status, code, message } = failureOf(error);
      audit({ ...told, outcome: status === 400 ? "refused" : "failed", why: message });
      return errorAnswer(status, code, message);
    }
  };
}

/** Names, numbers and words: what is anything else is not for logs. */
function isPlain(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && value.length <= 256);
}

async function file(
  { kind, path, bytes, blockedMs, remove }: Extract<Profile, { readonly path: string }>,
  { called, gone }: { readonly called: unknown; readonly gone: boolean },
): Promise<PageAnswer> {
  const body = createReadStream(path);
  body.once("close", () => void remove());
  if (gone) body.destroy();
  const fields = {
    "content-disposition": `attachment; filename="instance-${Number(called)}.${endings[kind]}"`,
    "content-length": String(bytes),
    "x-lb-blocked-ms": String(blockedMs),
  };
  return { status: 200, contentType: "application/octet-stream", body, fields };
}
