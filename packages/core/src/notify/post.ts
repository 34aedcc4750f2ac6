import { unended } from "../log/words.ts";
import { DeliveryError } from "./messenger.ts";

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** Statuses that ask for another attempt, besides those from 500 on. */
const later: ReadonlySet<number> = new Set([408, 425, 429]);

/** Posts JSON. What the response says is not read: that it is there is enough. @throws DeliveryError */
export async function post({ url, headers, body, signal }: Post): Promise<void> {
  let response: Response;
  try {
    // A redirect would be asked with GET, or show the secrets in the headers to somebody else.
    response = await fetch(withoutCredentials(url), {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "lb", ...credentialsOf(url), ...headers },
      body,
      redirect: "manual",
      signal,
    });
  } catch (error) {
    throw new DeliveryError(reasonOf(error), { cause: error });
  }
  await response.body?.cancel().catch(() => {});
  const { status } = response;
  if (status >= 200 && status < 300) return;
  throw new DeliveryError(`it answered ${status}`, { isFinal: status < 500 && !later.has(status) });
}

/** `fetch` does not take them in URLs. */
function credentialsOf(url: string): Readonly<Record<string, string>> {
  const { username, password } = new URL(url);
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function withoutCredentials(url: string): URL {
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed;
}

/** What is behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const reason = cause instanceof AggregateError ? cause.errors[0] : cause;
  return unended(reason instanceof Error && reason.message !== "" ? reason.message : message);
}
