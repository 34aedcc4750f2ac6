import { ask, askWith, download, type File } from "./ask.ts";
import { Store } from "./store.ts";

/** What somebody asks the cluster for: an action by its name, and its arguments. */
export type Action = Readonly<Record<string, unknown>> & { readonly action: string };

/** What of an instance is to be looked into. */
export interface ProfileWish {
  readonly instance: number;
  readonly backend?: string;
  readonly kind: "cpu" | "heap";
  readonly seconds?: number;
}

interface Session {
  readonly actions: boolean;
  readonly csrfToken: string | null;
}

/** Whether anything may be done here. Undefined: it is not known yet. */
export type Permission = { readonly kind: "allowed" } | { readonly kind: "refused"; readonly why: string };

const off = "Read-only: the option admin.actions is off";

/** The writing side of the admin listener. */
export class Actions {
  readonly permission = new Store<Permission | undefined>(undefined);

  /** Asks again whether anything may be done: of another primary it may be otherwise. */
  async refresh(): Promise<void> {
    try {
      const { actions } = await ask<Session>("/api/session");
      this.permission.set(actions ? { kind: "allowed" } : { kind: "refused", why: off });
    } catch (error) {
      this.permission.set({ kind: "refused", why: (error as Error).message });
    }
  }

  /** Resolves when it is over, which may take minutes. @throws AskError with what the cluster says against it */
  async run(action: Action): Promise<void> {
    await askWith("/api/actions", await posted(action));
  }

  /** Resolves when it is taken, and is there as a file. @throws AskError with what the cluster says against it */
  async profile(wish: ProfileWish): Promise<File> {
    return download("/api/profile", await posted(wish));
  }
}

async function posted(what: object): Promise<RequestInit> {
  // Of now: a primary that was started since knows no earlier one.
  const { csrfToken } = await ask<Session>("/api/session");
  if (csrfToken === null) throw new Error(`${off}.`);
  const headers = { "content-type": "application/json", "x-lb-csrf": csrfToken };
  return { method: "POST", headers, body: JSON.stringify(what) };
}
