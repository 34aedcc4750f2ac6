import { request as httpRequest } from "node:http";
import { ownProxyHeader } from "../http/proxy-header.ts";
import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { Http1Reach } from "../model/http1-reach.ts";
import { addressText } from "../model/listener-address.ts";
import { openConnection } from "../tls/endpoint-connection.ts";
import { EndpointTls } from "../tls/endpoint-tls.ts";

/** What one probe found. */
export type ProbeResult =
  | { readonly kind: "up"; readonly status: number }
  | { readonly kind: "down"; readonly reason: "status"; readonly status: number }
  | { readonly kind: "down"; readonly reason: "body" }
  | { readonly kind: "down"; readonly reason: "timeout" }
  | { readonly kind: "down"; readonly reason: "error"; readonly error: Error };

/** Where an endpoint is probed. */
export interface ProbedAt extends Pick<Http1Reach, "address" | "tls" | "proxyProtocol"> {
  /** Of the field Host. Default: whom its certificate has to be for, or its address. */
  readonly host?: string;
}

export interface HttpProbe {
  readonly at: ProbedAt;
  readonly path: string;
  readonly timeoutMs: number;
  readonly expectStatus: (status: number) => boolean;
  /** What the body has to hold, as far as it is read. Default: it does not matter. */
  readonly expectBody?: string | undefined;
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
 * One GET on a connection of its own, since a kept one would not tell whether new ones are accepted, nor a resumed session
 * what has become of a certificate. Returns the call that cancels it.
 */
export function sendProbe({ at, path, timeoutMs, expectStatus, expectBody, clock }: HttpProbe, calls: ProbeCalls) {
  let pending = true;
  const found = (result: ProbeResult) => {
    if (!pending) return;
    pending = false;
    calls.found(result);
  };
  const failed = (error: Error) => found({ kind: "down", reason: "error", error });
  let giveUp: () => void;
  const deadline = clock.after(timeoutMs, () => {
    found({ kind: "down", reason: "timeout" });
    giveUp();
  });
  const closed = () => {
    deadline.cancel();
    calls.closed();
  };
  const stopConnecting = openConnection({
    address: at.address,
    tls: at.tls && new EndpointTls(at.tls, clock),
    preface: at.proxyProtocol === undefined ? undefined : ownProxyHeader,
    clock,
    // The one above is for all of it.
    timeoutMs: undefined,
    unref: true,
    opened: (socket) => {
      const request = httpRequest({
        createConnection: () => socket,
        path,
        headers: { host: at.host ?? hostOf(at), "user-agent": "lb-probe", accept: "*/*", connection: "close" },
      });
      giveUp = () => void request.destroy();
      request.on("response", (response) => {
        const status = response.statusCode!;
        const isExpected = expectStatus(status);
        if (!isExpected) found({ kind: "down", reason: "status", status });
        else if (expectBody === undefined) found({ kind: "up", status });
        const chunks: Buffer[] = [];
        let bytes = 0;
        const judge = () => {
          if (expectBody === undefined || !isExpected) return;
          const holds = Buffer.concat(chunks).toString().includes(expectBody);
          found(holds ? { kind: "up", status } : { kind: "down", reason: "body" });
        };
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (expectBody !== undefined) chunks.push(chunk);
          if (bytes <= MAX_BODY_BYTES) return;
          judge();
          request.destroy();
        });
        response.on("end", judge);
      });
      request.on("error", failed);
      request.on("close", () => {
        failed(new LbError("LB_PROBE", `The probe of ${path} was answered with an upgrade instead of a response.`));
        closed();
      });
      request.end();
    },
    failed: (error) => {
      failed(error);
      closed();
    },
  });
  giveUp = () => {
    stopConnecting();
    closed();
  };
  return () => {
    pending = false;
    giveUp();
  };
}

function hostOf({ address, tls }: ProbedAt): string {
  if (address.kind === "unix") return "localhost";
  return addressText(tls === undefined ? address : { ...address, host: tls.servername });
}
