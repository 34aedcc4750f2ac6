import type { RequestHead } from "../http/request-head.ts";
import type { Responder, Response } from "./responder.ts";

export interface AccessGuardOptions {
  /** Undefined: everybody may. */
  readonly allow: ((address: string) => boolean) | undefined;
  /** Undefined: nobody is kept out. */
  readonly deny: ((address: string) => boolean) | undefined;
}

const forbidden: Response = { kind: "refusal", status: 403, reason: "denied" };

/** Lets requests pass by the addresses of their clients. Who has none, on a Unix socket, is on no list. */
export class AccessGuard implements Responder {
  readonly #options: AccessGuardOptions;

  constructor(options: AccessGuardOptions) {
    this.#options = options;
  }

  respond({ clientAddress }: RequestHead): Response | undefined {
    const { allow, deny } = this.#options;
    const may = deny?.(clientAddress) !== true && allow?.(clientAddress) !== false;
    return may ? undefined : forbidden;
  }
}
