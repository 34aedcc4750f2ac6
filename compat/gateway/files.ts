// How many tests each file of those projects has, and why not all of them are here.
import type { Case, TestFile } from "./suite.ts";

type Files = Readonly<Record<string, TestFile>>;

const inside = "tests of its own parts, which are not ours";
export const httpProxyMiddlewareFiles: Files = {
  "e2e/express-error-middleware.spec.ts": { tests: 1 },
  "e2e/express-router.spec.ts": { tests: 1 },
  "e2e/graceful-shutdown.spec.ts": {
    tests: 3,
    rest: "`balance.close()` is the app's to call, and Fastify's `app.close()` calls it",
  },
  "e2e/hono.spec.ts": { tests: 5, rest: "there is no binding for Hono" },
  "e2e/http-proxy-middleware.spec.ts": {
    tests: 33,
    rest: "globs in `pathFilter` (a router's function decides), logger, multipart bodies made again from what a parser left",
  },
  "e2e/http-query.spec.ts": { tests: 14, rest: "the same for other options" },
  "e2e/http-server.spec.ts": { tests: 1 },
  "e2e/http2-server.spec.ts": { tests: 3, rest: "targets are spoken to in HTTP/1.1" },
  "e2e/ipv6.spec.ts": {
    tests: 8,
    rest: "`[::]` as a target, `auth` (a header rule does it), the same with other queries",
  },
  "e2e/logger.spec.ts": { tests: 1, rest: "`log` and `onError` are functions, no logger" },
  "e2e/msw.spec.ts": { tests: 4, rest: "a mock in `node:http`, which undici goes past" },
  "e2e/nock.spec.ts": { tests: 4, rest: "a mock in `node:http`, which undici goes past" },
  "e2e/path-rewriter.spec.ts": { tests: 4, rest: "`path` gets no response and no options" },
  "e2e/plugins.spec.ts": { tests: 1, rest: "there are no plugins" },
  "e2e/response-interceptor.spec.ts": { tests: 11 },
  "e2e/router.spec.ts": { tests: 13, rest: "targets as objects, `res.locals`, agents a request" },
  "e2e/unix-domain-socket.spec.ts": { tests: 1, rest: "`unix:/path` is a target: shown by our own tests" },
  "e2e/websocket.spec.ts": { tests: 14, rest: "`upgrade` by hand, which nobody needs, and its own sockets" },
  "types.spec.ts": { tests: 31, rest: "its own types" },
  ...Object.fromEntries(
    (
      [
        ["configuration", 2],
        ["fix-request-body-utils/stringify-form-data", 16],
        ["fix-request-body", 24],
        ["get-plugins", 6],
        ["logger", 2],
        ["path-filter", 35],
        ["path-rewriter", 19],
        ["response-interceptor", 6],
        ["router", 18],
        ["status-code", 1],
        ["utils/create-url", 20],
        ["utils/function", 3],
        ["utils/ipv6", 9],
        ["utils/logger-plugin", 3],
        ["utils/sanitize", 3],
      ] as const
    ).map(([name, tests]) => [`unit/${name}.spec.ts`, { tests, rest: inside }]),
  ),
};

export const expressHttpProxyFiles: Files = {
  "catchingErrors.js": { tests: 1 },
  "cookies.js": { tests: 1 },
  "decorateUserResHeaders.js": { tests: 4 },
  "defineMultipleProxyHandlers.js": { tests: 2 },
  "filter.js": { tests: 4 },
  "getBody.js": {
    tests: 8,
    rest: "`proxyReqBodyDecorator` and `parseReqBody`: bodies are the client's, parsed or not",
  },
  "handleProxyError.js": { tests: 5 },
  "headers.js": { tests: 3 },
  "host.js": { tests: 2 },
  "https.js": { tests: 4, rest: "`https:` targets: shown by our own tests; there is no option besides the URL" },
  "maybeSkipToNextHandler.js": { tests: 1 },
  "middlewareCompatibility.js": { tests: 3, rest: "`reqAsBuffer`: what is sent is bytes in any case" },
  "params.js": { tests: 1 },
  "path.js": { tests: 2 },
  "port.js": { tests: 4, rest: "a port is part of the URL" },
  "postBody.js": {
    tests: 7,
    rest: "`proxyReqBodyDecorator` and `parseReqBody`: bodies are the client's, parsed or not",
  },
  "preserveHostHdr.js": { tests: 2 },
  "proxyReqOptDecorator.js": { tests: 5 },
  "proxyReqPathResolver.js": { tests: 2 },
  "rawBodyLimit.js": { tests: 2 },
  "reqBodyEncoding.js": { tests: 5, rest: "`Accept-Charset` is the client's to say" },
  "resolveProxyReqPath.js": { tests: 2 },
  "session.js": { tests: 1, rest: "`preserveReqSession`: functions get Express's own request" },
  "setsContentLength.js": { tests: 3 },
  "status.js": { tests: 1 },
  "streaming.js": { tests: 2, rest: "streaming cannot be switched off" },
  "timeout.js": { tests: 8 },
  "traceDebugging.js": { tests: 2, rest: "there is no `debug` output" },
  "urlParsing.js": { tests: 2 },
  "userResDecorator.js": {
    tests: 10,
    rest: "answers of GitHub, which a test cannot rely on; headers are changed by what is returned",
  },
  "verbs.js": { tests: 6 },
};

const why = (rest: string, ...files: readonly [string, number][]): [string, TestFile][] =>
  files.map(([file, tests]) => [`${file}.test.js`, { tests, rest }]);
export function fastifyReplyFromFiles(cases: readonly Case[]): Files {
  const adapted = [...new Set(cases.map(({ file }) => file))].map((file): [string, TestFile] => [
    file,
    { tests: cases.filter((one) => one.file === file).length },
  ]);

  return Object.fromEntries([
    ...adapted,
    ...why(
      "the same by both transports, or with other names",
      ["fix-GHSA-v574-6498-x57v", 3],
      ["http-retry", 3],
      ["http-timeout", 3],
      ["strip-connection-headers", 8],
      ["undici-timeout", 2],
      ["retry-on-503", 3],
    ),
    ...why(
      "its own parts",
      ["build-url", 9],
      ["utils-filter-pseudo-headers", 1],
      ["modifyCoreObjects-false", 1],
      ["disable-request-logging", 4],
    ),
    ...why(
      "agents and dispatchers of one's own: connections are the gateway's",
      ["custom-undici-instance", 3],
      ["http-agents", 1],
      ["http-global-agent", 1],
      ["https-agents", 1],
      ["https-global-agent", 1],
      ["undici-agent", 1],
      ["undici-chaining", 1],
      ["undici-custom-dispatcher", 1],
      ["undici-global-agent", 1],
      ["undici-no-destroy", 2],
      ["undici-proxy-agent", 1],
    ),
    ...why(
      "targets are spoken to in HTTP/1.1",
      ["full-delete-http2", 1],
      ["full-post-http2", 1],
      ["http-http2", 1],
      ["http2-canceled-streams-cleanup", 1],
      ["http2-goaway", 1],
      ["http2-http2", 1],
      ["http2-https", 3],
      ["http2-invalid-base", 1],
      ["http2-invalid-target", 1],
      ["http2-target-crash", 1],
      ["http2-target-multi-crash", 1],
      ["http2-te-header-not-stripped-if-trailing", 1],
      ["http2-timeout-disabled", 2],
      ["http2-timeout", 4],
      ["http2-unix-socket", 1],
    ),
    ...why(
      "`queryString`: a `path` function does it",
      ["full-querystring-rewrite-option-complex", 1],
      ["full-querystring-rewrite-option-empty-object", 1],
      ["full-querystring-rewrite-option-function-empty", 1],
      ["full-querystring-rewrite-option-function-request", 1],
      ["full-querystring-rewrite-option-function", 1],
      ["full-querystring-rewrite-option", 1],
      ["full-querystring-rewrite-string", 1],
      ["full-querystring-rewrite", 1],
    ),
    ...why(
      "another body for the target than the client's",
      ["full-rewrite-body-content-type", 1],
      ["full-rewrite-body-http", 1],
      ["full-rewrite-body-to-empty-string", 1],
      ["full-rewrite-body-to-null", 1],
      ["full-rewrite-body", 1],
      ["no-stream-body-option", 1],
    ),
    ...why(
      "bodies are not parsed, by whichever parser",
      ["fastify-multipart-incompatibility", 1],
      ["multipart-custom-parser", 1],
    ),
    ...why(
      "`https:` targets: shown by our own tests",
      ["full-https-get", 1],
      ["unix-https-undici", 1],
      ["unix-https", 1],
    ),
    ...why("retries are told by `retry`, no function", ["retry-with-a-custom-handler", 7], ["undici-retry", 3]),
    ...why("an error that is put into its parts", ["unexpected-error", 2]),
    ...why("types are TypeScript's to check", ["rewrite-headers-type", 1], ["rewrite-request-headers-type", 1]),
    ...why("an upload that breaks off: shown by our own tests", ["incomplete-request", 2]),
  ]);
}
