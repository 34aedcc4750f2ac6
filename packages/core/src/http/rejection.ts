/** An answer the front gives instead of relaying. */
export interface Rejection {
  readonly kind: "rejection";
  readonly status: 400 | 405 | 408 | 413 | 414 | 417 | 426 | 429 | 431 | 501 | 503 | 505;
  readonly fault: RequestFault;
  /** Stable, e.g. `"http.bare-lf"`. */
  readonly code: string;
  /** One sentence for the log; never echoes input. */
  readonly detail: string;
}

/** Why a response is not relayed; the client gets 502. */
export interface BadResponse {
  readonly kind: "bad-response";
  /** Stable, e.g. `"http.bare-lf"`. */
  readonly code: string;
  /** One sentence for the log; never echoes input. */
  readonly detail: string;
}

type Causes = Readonly<Record<string, readonly [status: Rejection["status"], detail: string]>>;

/** What can be wrong with a request and with a response alike: field lines, framing, body. */
const messageCauses = {
  "bare-lf": [400, "A line ends in LF without CR."],
  "bare-cr": [400, "A CR is not followed by LF."],
  "control-octet": [400, "A control octet stands in the head."],
  "obs-fold": [400, "A header line begins with white space: obsolete line folding."],
  "leading-space": [400, "The first header line begins with white space."],
  "empty-name": [400, "A header line has no name."],
  "no-colon": [400, "A header line has no colon."],
  "space-before-colon": [400, "White space stands between a header name and its colon."],
  "name-octet": [400, "A header name has an octet that is not allowed in a token."],
  "too-many-headers": [431, "More header lines than maxHeaders."],
  "head-too-large": [431, "The head is larger than maxHeadBytes."],
  "content-length": [400, "Content-Length is not one decimal number up to 2^53."],
  "content-length-repeated": [400, "Content-Length is given more than once."],
  "length-and-coding": [400, "Content-Length and Transfer-Encoding are both given."],
  "transfer-encoding": [400, "Transfer-Encoding is not exactly chunked, once."],
  "transfer-coding": [501, "A transfer coding other than chunked is applied."],
  "transfer-encoding-1.0": [400, "Transfer-Encoding is given in an HTTP/1.0 message."],
  connection: [400, "Connection is not a list of tokens."],
  "connection-nominates": [
    400,
    "Connection nominates a field that is not hop-by-hop: framing, routing or expectation.",
  ],
  "chunk-size": [400, "A chunk size is not a hexadecimal number followed by an extension or CRLF."],
  "chunk-size-overflow": [400, "A chunk size is over 2^53."],
  "chunk-extension": [400, "A chunk extension is malformed."],
  "chunk-extension-too-large": [413, "The chunk extensions of a body are larger than maxChunkExtensionBytes."],
  "chunk-end": [400, "A chunk is not followed by CRLF."],
  "trailer-field": [400, "A trailer has a field that decides framing, routing or the connection."],
  "trailer-too-large": [431, "The trailer section is larger than maxTrailerBytes."],
  "body-too-large": [413, "The body is larger than maxBodyBytes."],
} as const satisfies Causes;

const requestCauses = {
  ...messageCauses,
  "empty-lines": [400, "Too many empty lines before the request."],
  method: [400, "The method is not one that Node's parser knows."],
  "method-trace": [405, "TRACE is not relayed."],
  "method-connect": [405, "CONNECT is not relayed."],
  "h2-preface": [505, "HTTP/2 with prior knowledge on an HTTP/1 port."],
  target: [400, "The request target has an octet that is not allowed."],
  "target-form": [400, "The request target has no form that fits the method."],
  "target-fragment": [400, "The request target has a fragment."],
  "target-authority": [400, "The authority of the request target is not a host with an optional port."],
  "target-too-large": [414, "The request target is larger than maxTargetBytes."],
  "version-missing": [400, "The request line has no version: HTTP/0.9."],
  "version-malformed": [400, "The request line does not end in an HTTP version."],
  "version-unsupported": [505, "The version is neither HTTP/1.0 nor HTTP/1.1."],
  "host-missing": [400, "An HTTP/1.1 request has no Host."],
  "host-repeated": [400, "Host is given more than once."],
  host: [400, "Host is not a host with an optional port."],
  expectation: [417, "Expect is not exactly 100-continue."],
  "upgrade-1.0": [400, "An HTTP/1.0 request asks for an upgrade."],
  "upgrade-body": [400, "A request for an upgrade has a body."],
  "websocket-method": [400, "A WebSocket is asked for with a method other than GET."],
  "websocket-key": [400, "Sec-WebSocket-Key is not one base64 value of 16 bytes."],
  "websocket-version": [426, "Sec-WebSocket-Version is not 13."],
} as const satisfies Causes;

const responseCauses = {
  ...messageCauses,
  "status-line": [400, "The status line is malformed."],
  status: [400, "The status code is outside 100 to 599."],
  "version-unsupported": [400, "The version is neither HTTP/1.0 nor HTTP/1.1."],
  "interim-last": [400, "An interim response is HTTP/1.0 or says that nothing follows it."],
} as const satisfies Causes;

/** A cause that both kinds of message share; `rejections` and `badResponses` have an entry for each. */
export type MessageFault = keyof typeof messageCauses;
export type RequestFault = keyof typeof requestCauses;
export type ResponseFault = keyof typeof responseCauses;

/** One frozen rejection per cause, so that rejecting allocates nothing. */
export const rejections: Readonly<Record<RequestFault, Rejection>> = tabulate(
  requestCauses,
  (code, [status, detail], fault) => Object.freeze({ kind: "rejection", status, fault, code, detail }),
);

/** One frozen value per cause, so that refusing a response allocates nothing. */
export const badResponses: Readonly<Record<ResponseFault, BadResponse>> = tabulate(responseCauses, (code, [, detail]) =>
  Object.freeze({ kind: "bad-response", code, detail }),
);

function tabulate<C extends Causes, T>(
  causes: C,
  entry: (code: string, cause: readonly [Rejection["status"], string], fault: keyof C) => T,
): Readonly<Record<keyof C, T>> {
  const table = (Object.entries(causes) as [keyof C & string, C[keyof C]][]).map(
    ([fault, cause]) => [fault, entry(`http.${fault}`, cause, fault)] as const,
  );
  return Object.freeze(Object.fromEntries(table)) as Record<keyof C, T>;
}
