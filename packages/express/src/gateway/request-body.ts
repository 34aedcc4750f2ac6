import type { OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Call } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { hasBody } from "./client-message.ts";
import { type ParsedBody, serialiseBody } from "./parsed-body.ts";

/**
 * The body of a request, sent to one endpoint after the other until one has answered. What an endpoint may have to get
 * again is kept, up to a limit; beyond it the request can no longer be repeated.
 */
export interface RequestBody {
  /** The request has none. */
  readonly isEmpty: boolean;
  /** Everything that came so far is there to be sent again. */
  readonly replayable: boolean;
  /** The body from its beginning, for one endpoint; the one before gets no more of it. */
  open(): Readable | Buffer | null;
  /** Sends no more to anybody. */
  detach(): void;
}

/** Gets what comes of a body, once, however often that is sent. */
export interface BodyCopy {
  write(piece: Buffer): void;
  end(): void;
  /** No more comes, and what came is not all. */
  abandon(): void;
}

export interface RequestBodyOptions {
  /** What is kept to be sent again. */
  readonly maxReplayBytes: number;
  readonly maxBytes: number;
  /** More than `maxBytes` came; the body is detached. */
  readonly exceeded: (error: GatewayError) => void;
  readonly copy: BodyCopy | undefined;
}

/**
 * The body that goes upstream; adapts the fields in `headers` that tell its length.
 *
 * @throws GatewayError `LB_BODY_CONSUMED` when it was read before and cannot be made again, `LB_BODY_TOO_LARGE`
 */
export function requestBodyOf(call: Call, headers: OutgoingHttpHeaders, options: RequestBodyOptions): RequestBody {
  const { request } = call;
  const { maxBytes } = options;
  const length = request.headers["content-length"];
  if (!hasBody(request)) return noBody;
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  const stream = streamOf(call);
  if (stream !== undefined) {
    // A hook that replaced the stream, e.g. to decompress it, may have changed its length.
    if (stream !== request) delete headers["content-length"];
    return new StreamedBody(stream, options);
  }
  const bytes = call.rawBody ?? serialiseBody(parsedBodyOf(call));
  if (bytes === undefined) {
    const remedy =
      "mount the balancer before the body parser, or have that keep the bytes as request.rawBody: " +
      "express.json({ verify: (request, response, bytes) => { request.rawBody = bytes; } })";
    throw new GatewayError(
      "LB_BODY_CONSUMED",
      `The request's body was read before it came here, and cannot be made again from request.body: ${remedy}`,
    );
  }
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  // Parsers also decode.
  delete headers["content-encoding"];
  headers["content-length"] = String(bytes.length);
  options.copy?.write(bytes);
  options.copy?.end();
  return { isEmpty: false, replayable: true, open: () => bytes, detach: () => {} };
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("LB_BODY_TOO_LARGE", `The request's body has more than ${maxBytes} bytes`);
}

function parsedBodyOf({ request: { headers }, body }: Call): ParsedBody {
  const { "content-type": contentType, "content-encoding": coding, "content-length": length } = headers;
  const encoded = coding !== undefined && coding.toLowerCase() !== "identity";
  return { body, contentType, encoded, contentLength: length === undefined ? undefined : Number(length) };
}

/** The stream that still has the whole body. */
function streamOf({ request, body }: Call): Readable | undefined {
  if (body instanceof Readable && !body.readableDidRead) return body;
  return request.readableDidRead ? undefined : request;
}

const noBody: RequestBody = Object.freeze({
  isEmpty: true,
  replayable: true,
  open: () => null,
  detach: () => {},
});

class StreamedBody implements RequestBody {
  readonly isEmpty = false;
  readonly #source: Readable;
  readonly #options: RequestBodyOptions;
  #kept: Buffer[] = [];
  #bytes = 0;
  #replayable = true;
  #ended = false;
  #listening = false;
  #sink: Readable | undefined;

  constructor(source: Readable, options: RequestBodyOptions) {
    this.#source = source;
    this.#options = options;
  }

  get replayable(): boolean {
    return this.#replayable;
  }

  /** Nothing is taken from the client before undici reads, which it does once there is a connection. */
  open(): Readable {
    // undici destroys what it was given, and the client's request has to outlive that.
    const sink = new Readable({
      read: () => {
        if (sink === this.#sink) this.#listen();
      },
      destroy: (error, done) => {
        if (sink === this.#sink) this.detach();
        done(error);
      },
    });
    this.#sink = sink;
    for (const piece of this.#kept) sink.push(piece);
    if (this.#ended) sink.push(null);
    return sink;
  }

  detach(): void {
    this.#sink = undefined;
    if (!this.#ended) this.#options.copy?.abandon();
    if (!this.#listening) return;
    this.#listening = false;
    this.#source.off("data", this.#take);
    this.#source.off("end", this.#end);
    this.#source.pause();
  }

  #listen(): void {
    if (!this.#listening) {
      this.#listening = true;
      this.#source.on("data", this.#take);
      this.#source.on("end", this.#end);
    }
    this.#source.resume();
  }

  readonly #take = (piece: Buffer): void => {
    const { maxBytes, exceeded } = this.#options;
    this.#bytes += piece.length;
    if (this.#bytes > maxBytes) {
      this.detach();
      exceeded(tooLarge(maxBytes));
      return;
    }
    this.#options.copy?.write(piece);
    this.#keep(piece);
    if (this.#sink?.push(piece) === false) this.#source.pause();
  };

  readonly #end = (): void => {
    this.#ended = true;
    this.#options.copy?.end();
    this.#sink?.push(null);
  };

  #keep(piece: Buffer): void {
    if (!this.#replayable) return;
    if (this.#bytes <= this.#options.maxReplayBytes) {
      this.#kept.push(piece);
      return;
    }
    this.#kept = [];
    this.#replayable = false;
  }
}
