import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";

/** A span as it came, in plain values. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  /** Nanoseconds. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly failed: boolean;
  readonly resource: Readonly<Record<string, string | number | boolean>>;
}

type Value = { stringValue?: string; intValue?: string; doubleValue?: number; boolValue?: boolean };

const kinds = ["unspecified", "internal", "server", "client"] as const;

/** A receiver of OTLP over HTTP, as JSON, that reads it as strictly as the protocol is. Ends with the test. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { readonly path: string; readonly headers: IncomingMessage["headers"] }[] = [];
  /** What it answers; undefined: nothing at all. */
  status: number | undefined = 200;
  readonly url: string;

  static async start(): Promise<OtlpReceiver> {
    const server = createServer((request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      request.on("end", () => {
        receiver.requests.push({ path: request.url!, headers: request.headers });
        if (receiver.status === undefined) return;
        if (receiver.status === 200) receiver.#take(text);
        response.writeHead(receiver.status, { "content-type": "application/json" }).end('{"partialSuccess":{}}');
      });
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const receiver: OtlpReceiver = new OtlpReceiver((server.address() as AddressInfo).port);
    return receiver;
  }

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Those of a trace, once there are as many. */
  async trace(traceId: string, spans: number): Promise<ReceivedSpan[]> {
    const ofTrace = () => this.spans.filter((span) => span.traceId === traceId);
    return eventually(() => ofTrace().length >= spans && ofTrace(), {
      what: () => `${spans} spans of ${traceId}; there are ${JSON.stringify(ofTrace(), (_, value) => String(value))}`,
    });
  }

  #take(text: string): void {
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            traceId: hexadecimal(span.traceId, 32),
            spanId: hexadecimal(span.spanId, 16),
            parentSpanId: span.parentSpanId === undefined ? undefined : hexadecimal(span.parentSpanId, 16),
            name: span.name,
            kind: kinds[span.kind as 1] as "internal",
            start: BigInt(span.startTimeUnixNano),
            end: BigInt(span.endTimeUnixNano),
            attributes: plain(span.attributes),
            failed: span.status?.code === 2,
            resource: plain(resource.attributes),
          });
        }
      }
    }
  }
}

function hexadecimal(text: string, digits: number): string {
  if (text.length !== digits || !/^[\da-f]+$/.test(text)) throw new Error(`${text} is no id of ${digits} digits`);
  return text;
}

function plain(attributes: { key: string; value: Value }[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => {
      return [key, stringValue ?? boolValue ?? doubleValue ?? Number(intValue)];
    }),
  );
}
