import { callback, offOr, option, options } from "@lb/core/kit";
import * as v from "valibot";

export interface WebSocketMessage {
  readonly from: "client" | "target";
  readonly isBinary: boolean;
  readonly bytes: number;
  /** Undefined for one of more than 1 MB, of which nothing is kept. */
  readonly data: Buffer | undefined;
}

export interface WebSocketEnd {
  /** Of the first close frame, from whichever side; 1005 for one without, 1006 where there was none. */
  readonly code: number;
  readonly reason: string;
  readonly durationMs: number;
}

/** Who is told of WebSockets. They cannot hold anything up, and change nothing: bytes are relayed as they come. */
export interface WebSocketHooks<Request = unknown> {
  /** One is open, with a target that has this URL. */
  readonly onOpen?: (target: string, request: Request) => void;
  /** A message has passed, whole. With this, messages are not compressed: the extension is not offered to targets. */
  readonly onMessage?: (message: WebSocketMessage, request: Request) => void;
  readonly onClose?: (end: WebSocketEnd, request: Request) => void;
}

const remedy = "give a function";
const hooks = options(
  {
    onOpen: option(callback<NonNullable<WebSocketHooks["onOpen"]>>(remedy), undefined, "one is open"),
    onMessage: option(callback<NonNullable<WebSocketHooks["onMessage"]>>(remedy), undefined, "a message has passed"),
    onClose: option(callback<NonNullable<WebSocketHooks["onClose"]>>(remedy), undefined, "one has closed"),
  },
  "give true, false or { onOpen, onMessage, onClose }",
);

/** {@link WebSocketHooks}, checked; `false`: WebSockets are not relayed. */
export const webSocketsSchema = v.lazy((input) =>
  input === true
    ? v.pipe(
        v.literal(true),
        v.transform(() => noHooks),
      )
    : offOr(hooks),
) as unknown as v.GenericSchema<boolean | WebSocketHooks, WebSocketHooks | false>;

const noHooks: WebSocketHooks = Object.freeze({});
