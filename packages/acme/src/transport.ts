import type { IncomingHttpHeaders } from "node:http";
import { type RequestOptions, request } from "node:https";
import { rootCertificates } from "node:tls";
import type { Clock } from "@lb/core";
import { AcmeError } from "./errors.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface TransportOptions {
  /** PEM, besides those that Node.js trusts. */
  readonly ca: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** From the request to the end of its answer, in milliseconds. */
const timeoutMs = 30_000;

/** A chain is a few kilobytes. */
const maxBodyBytes = 1_048_576;

/** Sends requests to an authority. Not by `fetch`, which takes no root certificates. */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** @throws AcmeError `LB_ACME_UNREACHABLE` */
  async send(url: string, method: "GET" | "HEAD" | "POST", body?: string, accept?: string): Promise<Answer> {
    const { clock, signal } = this.#options;
    const cut = new AbortController();
    const deadline = clock.after(timeoutMs, () => cut.abort(new Error(`no answer within ${timeoutMs / 1_000} s`)));
    const stop = () => cut.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      return await this.#exchange(
        new URL(url),
        { method, signal: cut.signal, headers: headersFor(body, accept) },
        body,
      );
    } catch (error) {
      const cause = cut.signal.aborted ? (cut.signal.reason as Error) : (error as Error);
      throw new AcmeError("LB_ACME_UNREACHABLE", `${new URL(url).host} cannot be asked: ${reasonOf(cause)}`, { cause });
    } finally {
      deadline.cancel();
      signal.removeEventListener("abort", stop);
    }
  }

  #exchange(url: URL, options: RequestOptions, body: string | undefined): Promise<Answer> {
    const { ca } = this.#options;
    return new Promise((resolve, reject) => {
      const sent = request(url, {
        ...options,
        agent: false,
        ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      });
      sent.on("error", reject);
      sent.on("response", (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > maxBodyBytes) sent.destroy(new Error(`its answer is longer than ${maxBodyBytes} bytes`));
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.end(body);
    });
  }
}

function headersFor(body: string | undefined, accept: string | undefined): Record<string, string> {
  return {
    "User-Agent": `lb-acme node/${process.versions.node}`,
    ...(accept !== undefined && { Accept: accept }),
    ...(body !== undefined && {
      "Content-Type": "application/jose+json",
      "Content-Length": String(Buffer.byteLength(body)),
    }),
  };
}

/** Node's codes for who is not known. */
const untrusted = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/;

/** Node gives several addresses' errors as one without a message. */
function reasonOf(error: Error): string {
  const { message, code, errors } = error as Error & { code?: string; errors?: readonly Error[] };
  const reason = message || errors?.map((one) => one.message).join("; ") || code || error.name;
  return untrusted.test(code ?? "")
    ? `${reason}; if it is your own, name its root by the option "https.acme.ca"`
    : reason;
}
