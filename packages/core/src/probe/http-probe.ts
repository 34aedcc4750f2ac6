import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Clock } from "../model/clock.ts";
import type { Address } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";

/** What one probe found. */
export type ProbeResult =
  | { readonly kind: "up"; readonly status: number }
  | { readonly kind: "down"; readonly reason: "status"; readonly status: number }
  | { readonly kind: "down"; readonly reason: "timeout" }
  | { readonly kind: "down"; readonly reason: "error"; readonly error: Error };

export interface HttpProbe {
  readonly address: Address;
  /** Over TLS, with the certificate checked. */
  readonly secure: boolean;
  readonly path: string;
  readonly timeoutMs: number;
  readonly expectStatus: (status: number) => boolean;
  readonly clock: Clock;
}

export interface ProbeCalls {
  /** Made once, as soon as the response head is there or cannot be any more; not after a cancel. */
  found(result: ProbeResult): void;
  /** Made last: the connection is closed. */
  closed(): void;
}

/** More than that of a body is not waited for: a page meant for people should not be downloaded by every probe. */
const MAX_BODY_BYTES = 65_536;

/**
 * One GET on a connection of its own, since a kept one would not tell whether new ones are accepted. Returns the call
 * that cancels it.
 */
export function sendProbe({ address, secure, path, timeoutMs, expectStatus, clock }: HttpProbe, calls: ProbeCalls) {
  let pending = true;
  const found = (result: ProbeResult) => {
    if (!pending) return;
    pending = false;
    calls.found(result);
  };
  const place = address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  const request = (secure ? httpsRequest : httpRequest)({
    ...place,
    path,
    agent: false,
    headers: { "user-agent": "lb-probe", accept: "*/*" },
  });
  const deadline = clock.after(timeoutMs, () => {
    found({ kind: "down", reason: "timeout" });
    request.destroy();
  });
  request.on("socket", (socket) => socket.unref());
  request.on("response", (response) => {
    const status = response.statusCode!;
    found(expectStatus(status) ? { kind: "up", status } : { kind: "down", reason: "status", status });
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) request.destroy();
    });
  });
  request.on("error", (error) => found({ kind: "down", reason: "error", error }));
  request.on("close", () => {
    deadline.cancel();
    const error = new LbError("LB_PROBE", `The probe of ${path} was answered with an upgrade instead of a response.`);
    found({ kind: "down", reason: "error", error });
    calls.closed();
  });
  request.end();
  return () => {
    pending = false;
    request.destroy();
  };
}
