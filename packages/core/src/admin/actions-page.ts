import type { AdminAction } from "../events/admin-action.ts";
import { failureOf } from "./failure.ts";
import { errorAnswer, jsonAnswer, type PostPage } from "./page.ts";

export interface ActionsPageOptions {
  /** What there is to be done, by name, and the names of the arguments that each takes. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  /** Has one of them done. */
  readonly run: (name: string, given: object) => Promise<unknown>;
  /** Told of each of them, whatever became of it. */
  readonly audit: (action: AdminAction) => void;
}

/** So many go on at a time: they take turns, and who has left waits no less. */
const maxRunning = 16;

/** What operators can have done, by name; answers when it is over. */
export function actionsPage({ known, run, audit }: ActionsPageOptions): PostPage {
  let running = 0;
  return async ({ body: { action: name, ...given }, by, address }) => {
    if (typeof name !== "string" || !Object.hasOwn(known, name)) {
      audit({ action: null, arguments: {}, by, address, outcome: "refused", why: "there is no such action" });
      return errorAnswer(400, "LB_ACTION", `There is no such action. There are: ${Object.keys(known).join(", ")}.`);
    }
    // What was given under other names is not for logs.
    const named = Object.fromEntries(Object.entries(given).filter(([key]) => known[name]!.includes(key)));
    const told = { action: name, arguments: named, by, address };
    if (running >= maxRunning) {
      audit({ ...told, outcome: "refused", why: "too many others go on" });
      return errorAnswer(503, "LB_ACTIONS_BUSY", `${maxRunning} others go on.`);
    }
    running += 1;
    try {
      const result = await run(name, given);
      audit({ ...told, outcome: "done" });
      return jsonAnswer({ result });
    } catch (error) {
      const { status, code, message } = failureOf(error);
      audit({ ...told, outcome: status === 400 ? "refused" : "failed", why: message });
      return errorAnswer(status, code, message);
    } finally {
      running -= 1;
    }
  };
}
