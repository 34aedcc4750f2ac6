import { KnownUsers } from "../http/known-users.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { BasicAuthSettings } from "../options/basic-auth-options.ts";
import type { Responder, Response } from "./responder.ts";

/** Lets those pass who give a name with its password (RFC 7617). */
export class BasicAuth implements Responder {
  readonly #challenge: Response;
  readonly #users: KnownUsers;

  constructor({ users, realm }: BasicAuthSettings) {
    this.#users = new KnownUsers(users);
    this.#challenge = {
      kind: "answer",
      reason: "unauthorized",
      status: 401,
      fields: ["WWW-Authenticate", `Basic realm="${realm}", charset="UTF-8"`, "Content-Type", "text/plain"],
      body: "401 Unauthorized\n",
    };
  }

  respond(request: RequestHead): Response | undefined {
    return this.#users.knows(request.header("authorization")) ? undefined : this.#challenge;
  }
}
