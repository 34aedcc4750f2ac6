import { createHmac } from "node:crypto";
import type { WallClock } from "../model/clock.ts";
import type { Messenger } from "./messenger.ts";
import { post } from "./post.ts";

export interface WebhookOptions {
  readonly url: string;
  /** Undefined: messages are not signed. */
  readonly secret: string | undefined;
  readonly wallClock: WallClock;
}

/** Messages as JSON, signed as https://www.standardwebhooks.com says, for which receivers have libraries. */
export function webhook({ url, secret, wallClock }: WebhookOptions): Messenger {
  const key = secret === undefined ? undefined : keyOf(secret);
  return {
    name: `webhook ${new URL(url).origin}`,
    send: (message, signal) => {
      const body = JSON.stringify(message);
      // Of this attempt: receivers refuse what is old, so that nobody can play it again.
      const timestamp = String(Math.floor(wallClock() / 1_000));
      const headers = { "webhook-id": message.id, "webhook-timestamp": timestamp };
      const signature = key && `v1,${signatureOf(key, `${message.id}.${timestamp}.${body}`)}`;
      const signed = signature === undefined ? headers : { ...headers, "webhook-signature": signature };
      return post({ url, headers: signed, body, signal });
    },
  };
}

function signatureOf(key: Buffer, content: string): string {
  return createHmac("sha256", key).update(content).digest("base64");
}

/** As the specification has secrets, or any text. */
function keyOf(secret: string): Buffer {
  const prefix = "whsec_";
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : Buffer.from(secret);
}
