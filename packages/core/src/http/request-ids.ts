import { randomBytes } from "node:crypto";
import type { RequestIdSettings } from "../options/request-id-options.ts";

/** What a log and a response can hold as it is. */
const usable = /^[\w.:=@/+~-]{1,128}$/;

/** Gives requests their ids: one that a proxy of ours has given them, or one that nobody else has. */
export class RequestIds {
  readonly header: string;
  readonly lowerHeader: string;
  /** Clients get it. */
  readonly inResponse: boolean;
  readonly #prefix = randomBytes(6).toString("base64url");
  #last = 0;

  constructor({ header, response }: RequestIdSettings) {
    this.header = header;
    this.lowerHeader = header.toLowerCase();
    this.inResponse = response;
  }

  /** `given`: by a peer who is trusted; undefined: by none. */
  of(given: string | undefined): string {
    if (given !== undefined && usable.test(given)) return given;
    this.#last += 1;
    return `${this.#prefix}-${this.#last.toString(36)}`;
  }

  line(id: string): string {
    return `${this.header}: ${id}\r\n`;
  }
}

/** None where nobody asks for them. */
export function requestIds(settings: RequestIdSettings | false | undefined): RequestIds | undefined {
  return settings === undefined || settings === false ? undefined : new RequestIds(settings);
}
