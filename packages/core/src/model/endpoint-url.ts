import type { Address } from "./endpoint.ts";
import { OptionError } from "./errors.ts";

/** Where an endpoint is, as people write it. */
export interface EndpointUrl {
  /** An origin, perhaps with a path, in the one form that is compared; or `unix:` and the path of a socket. */
  readonly url: string;
  readonly address: Address;
  /** By TLS. */
  readonly secure: boolean;
  /** The path in which those of the endpoint begin: `""`, or one without a slash at its end. */
  readonly basePath: string;
}

/**
 * @param option for the message
 * @throws OptionError
 */
export function readEndpointUrl(input: string | URL, option: string): EndpointUrl {
  const text = String(input);
  const refuse = (remedy: string) => new OptionError(option, text, remedy);
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    if (!path.startsWith("/")) throw refuse('give the socket\'s absolute path, e.g. "unix:/run/app.sock"');
    return { url: text, address: { kind: "unix", path }, secure: false, basePath: "" };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw refuse('give an origin such as "http://10.0.0.1:3000", or "unix:" and the path of a socket');
  }
  if (url.username !== "" || url.password !== "") throw refuse("leave user and password out; send them as a header");
  if (/[?#]/.test(text)) throw refuse("leave out the query and the fragment");
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const basePath = url.pathname.replace(/\/+$/, "");
  return { url: url.origin + basePath, address: { kind: "tcp", host, port }, secure, basePath };
}
