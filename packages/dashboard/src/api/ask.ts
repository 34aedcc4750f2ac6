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
const notSignedIn =
  "You are not signed in: reload the page for its password, or open the link that `lb dashboard` prints.";

/** What the admin listener has at a path. @throws AskError */
export function ask<Answer>(path: string): Promise<Answer> {
  return askWith(path, { signal: AbortSignal.timeout(patienceMs) });
}

/** @throws AskError */
export async function askWith<Answer>(path: string, how: RequestInit): Promise<Answer> {
  const response = await answered(path, how);
  const body = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as Answer;
  throw new AskError(saidIn(body) ?? `It answers ${response.status}.`, response.status);
}

/** Something to be kept. */
export interface File {
  readonly name: string;
  readonly content: Blob;
}

/** An answer that is a file. @throws AskError */
export async function download(path: string, how: RequestInit): Promise<File> {
  const response = await answered(path, how);
  if (!response.ok) {
    const body = await response.json().catch(() => undefined);
    throw new AskError(saidIn(body) ?? `It answers ${response.status}.`, response.status);
  }
  const [, name = "profile"] = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "") ?? [];
  const content = await response.blob().catch(() => {
    throw new AskError("It broke off.");
  });
  return { name, content };
}

async function answered(path: string, how: RequestInit): Promise<Response> {
  const response = await fetch(path, { cache: "no-store", ...how }).catch(() => {
    throw new AskError("The cluster does not answer.");
  });
  if (response.status === 401) throw new AskError(notSignedIn, 401);
  return response;
}

function saidIn(body: unknown): string | undefined {
  const { error } = (body ?? {}) as { readonly error?: string | { readonly message?: string } };
  return typeof error === "string" ? error : error?.message;
}
