/** Why there is no answer, in words for whoever looks at the page. */
export class AskError extends Error {
  /** Undefined: nobody answered at all. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const patienceMs = 10_000;

/** What the admin listener has at a path. @throws AskError */
export async function ask<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path, { signal: AbortSignal.timeout(patienceMs), cache: "no-store" }).catch(() => {
    throw new AskError("The cluster does not answer.");
  });
  if (response.status === 401)
    throw new AskError(
      "You are not signed in: reload the page for its password, or open the link that `lb dashboard` prints.",
      401,
    );
  const body = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as Answer;
  const said =
    typeof body?.error === "string" ? body.error : (body?.error?.message ?? `It answers ${response.status}.`);
  throw new AskError(said, response.status);
}
