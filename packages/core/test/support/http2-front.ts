import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { onTestFinished } from "vitest";
import { CertificateStore } from "../../src/front/tls/certificate-store.ts";
import { type Http2Settings, http2Schema } from "../../src/options/http2-options.ts";
import { httpsSchema } from "../../src/options/https-options.ts";
import { parseOptions } from "../../src/options/validation.ts";
import { testCertificate } from "./test-certificate.ts";
import { startFront, type TestFrontOptions } from "./test-front.ts";

export interface Http2FrontOptions extends Omit<TestFrontOptions, "backends" | "certificates"> {
  readonly http2?: Partial<Http2Settings>;
}

/** A front with TLS, of HTTP/2 if the client likes, before an app that it reaches over the link. */
export async function startHttp2Front(app: RequestListener | Server, { http2, ...rest }: Http2FrontOptions = {}) {
  const server = typeof app === "function" ? createServer(app) : app;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const certificates = [testCertificate(["DNS:a.example", "IP:127.0.0.1"])];
  const https = parseOptions(httpsSchema, { port: 0, certificates }, "https");
  const settings = { ...rest.settings, https, http2: parseOptions(http2Schema, http2 ?? {}, "http2") };
  const started = await startFront({
    ...rest,
    settings,
    backends: [server],
    certificates: new CertificateStore(https),
  });
  return { ...started, server, certificate: certificates[0]! };
}

/** A client's connection, ended with the test. */
export async function openSession(port: number, options: object = {}): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...options });
  onTestFinished(() => session.destroy());
  session.on("error", () => {});
  await once(session, "connect");
  return session;
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value …, as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** Asks, and reads the answer to its end; rejects if the stream ends otherwise. */
export async function ask(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]> = {},
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = session.request({ ":path": "/", ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return await answerOn(stream);
}

export function answerOn(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const answer = {
      status: 0,
      headers: {} as IncomingHttpHeaders,
      rawHeaders: [] as string[],
      body: "",
      trailers: undefined as IncomingHttpHeaders | undefined,
    };
    stream.setEncoding("latin1");
    stream.on("response", (headers: IncomingHttpHeaders & IncomingHttpStatusHeader, ...rest: unknown[]) => {
      answer.status = headers[":status"] ?? 0;
      answer.headers = headers;
      answer.rawHeaders = rest[1] as string[];
    });
    stream.on("trailers", (fields) => {
      answer.trailers = fields;
    });
    stream.on("data", (chunk: string) => {
      answer.body += chunk;
    });
    stream.on("error", reject);
    stream.on("close", () => {
      if (stream.rstCode !== 0 || answer.status === 0) reject(new Error(`reset with ${stream.rstCode}`));
      else resolve(answer);
    });
  });
}
