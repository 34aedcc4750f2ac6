/** Somebody wanted something changed by the admin listener (option `admin.actions`). */
export interface AdminAction {
  /** As `lb` has its command; `null`: it was refused before that was read, or is none. */
  readonly action: string | null;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Who: the name of the option `admin.auth`, `"token"`, or `"the socket"`. */
  readonly by: string;
  /** From where; `"unix"`: by a Unix socket. */
  readonly address: string;
  /** `refused`: nothing was tried; `failed`: the cluster could not, or would not. */
  readonly outcome: "done" | "refused" | "failed";
  /** If it is not done. */
  readonly why?: string;
}
