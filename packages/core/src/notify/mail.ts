import { connect, type Socket } from "node:net";
import type { AlertMessage } from "../model/alert.ts";
import type { MailOptions } from "../options/alert-options.ts";
import { DeliveryError, type Messenger } from "./messenger.ts";

/** What of the package nodemailer is called. */
export interface Nodemailer {
  createTransport(options: object): {
    sendMail(mail: object): Promise<{ readonly rejected?: readonly unknown[] }>;
    close(): void;
  };
}

/** Mails by an SMTP server, over a connection of its own each. */
export function mail({ smtp, from, to }: MailOptions, nodemailer: Nodemailer): Messenger {
  const { hostname, port, protocol, username, password } = new URL(smtp);
  const secure = protocol === "smtps:";
  const host = hostname.replace(/^\[|\]$/g, "");
  const place = { host, port: Number(port) || (secure ? 465 : 587) };
  const auth =
    username === "" ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } };
  return {
    name: `mail to ${typeof to === "string" ? to : to.join(", ")} by ${place.host}:${place.port}`,
    send: async (message, signal) => {
      let socket: Socket | undefined;
      // The connection is made here, so that it can be cut whatever the server does.
      const getSocket = (_: object, done: (error: Error | null, use?: { connection: Socket }) => void) => {
        socket = connect(place, () => done(null, { connection: socket! }));
        socket.once("error", done);
      };
      signal.addEventListener("abort", () => socket?.destroy(), { once: true });
      const transport = nodemailer.createTransport({
        ...place,
        secure,
        ...auth,
        getSocket,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({ from, to, ...contentOf(message) });
      } catch (error) {
        // From 500 on the server says that it would not take it later either.
        const { message: why, responseCode = 0 } = error as Error & { readonly responseCode?: number };
        throw new DeliveryError(why, { isFinal: responseCode >= 500, cause: error });
      } finally {
        transport.close();
        socket?.destroy();
      }
    },
  };
}

function contentOf({ id, host, text }: AlertMessage): object {
  const [subject = ""] = text.split("\n", 1);
  return { subject, text: `${text}\n`, messageId: `<${id}@${host}>`, headers: { "Auto-Submitted": "auto-generated" } };
}
