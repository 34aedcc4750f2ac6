// The options of other projects, as options of @lb/express: what somebody does who changes over. Only what the cases need.
import type { IncomingMessage, ServerResponse } from "node:http";
import { type BalanceOptions, balance, type HeaderFields, type ResponseChange } from "@lb/express";
import { type LbFastifyOptions, lbFastify } from "@lb/express/fastify";
import type { FastifyInstance } from "fastify";
import type { Stage } from "./suite.ts";

type Next = (error?: unknown) => void;
type Handler = (request: IncomingMessage, response: ServerResponse, next: Next) => void;
type Request = IncomingMessage & { originalUrl?: string };
type Mutable = Record<string, string | readonly string[] | undefined>;

/** What a hook that changes headers in place gets. */
const editable = (fields: Mutable) => ({
  headers: fields,
  setHeader: (name: string, value: string) => {
    fields[name.toLowerCase()] = value;
  },
  removeHeader: (name: string) => {
    delete fields[name.toLowerCase()];
  },
});

export interface MiddlewareOptions {
  readonly target?: string;
  readonly router?:
    | Readonly<Record<string, string>>
    | ((request: Request) => string | undefined | Promise<string | undefined>);
  readonly pathFilter?: string | readonly string[] | ((path: string, request: Request) => boolean);
  readonly pathRewrite?:
    | Readonly<Record<string, string>>
    | ((path: string, request: Request) => string | undefined | Promise<string>);
  readonly changeOrigin?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly forward?: string;
  readonly autoRewrite?: boolean;
  readonly cookieDomainRewrite?: Readonly<Record<string, string>>;
  readonly cookiePathRewrite?: Readonly<Record<string, string>>;
  readonly proxyTimeout?: number;
  readonly on?: {
    readonly proxyReq?: (proxyRequest: ReturnType<typeof editable>, request: Request) => void;
    readonly proxyRes?: (proxyResponse: { headers: Mutable; statusCode: number }, request: Request) => void;
    readonly error?: (error: Error, request: Request, response: ServerResponse) => void;
    readonly open?: () => void;
    readonly close?: () => void;
  };
  readonly intercept?: (
    body: Buffer,
    proxyResponse: { readonly headers: HeaderFields; readonly statusCode: number },
    request: Request,
    response: { setHeader(name: string, value: string): void },
  ) => Promise<string | Buffer>;
}

/** http-proxy-middleware's `createProxyMiddleware`. */
export function createProxyMiddleware(stage: Stage, given: MiddlewareOptions): Handler {
  const { target, router, pathFilter, pathRewrite, on = {}, headers = {}, intercept } = given;
  const matches = (path: string, request: Request) => {
    if (pathFilter === undefined) return true;
    if (typeof pathFilter === "function") return pathFilter(path, request);
    return [pathFilter].flat().some((prefix) => path.startsWith(prefix));
  };
  const routed = (request: Request) => {
    if (!matches(request.url!.split("?", 1)[0]!, request)) return "next";
    if (router === undefined || typeof router === "function") return router?.(request);
    const { host = "" } = request.headers;
    return Object.entries(router).find(([key]) =>
      key.includes("/") ? `${host}${request.url}`.startsWith(key) : host === key,
    )?.[1];
  };
  const rewritten = (path: string, request: Request) => {
    if (typeof pathRewrite === "function")
      return Promise.resolve(pathRewrite(path, request)).then((made) => made ?? path);
    const rule = Object.entries(pathRewrite ?? {}).find(([pattern]) => new RegExp(pattern).test(path));
    return rule === undefined ? path : path.replace(new RegExp(rule[0]), rule[1]);
  };
  const gateway = balance<Request>({
    ...(target === undefined ? {} : { targets: [target] }),
    router: routed,
    path: rewritten,
    changeOrigin: given.changeOrigin ?? false,
    ...(given.forward === undefined ? {} : { mirror: { targets: [given.forward] } }),
    ...(given.proxyTimeout === undefined ? {} : { timeouts: { responseMs: given.proxyTimeout } }),
    rewriteLocations: given.autoRewrite ?? false,
    cookies: {
      domain: (domain) => replaced(given.cookieDomainRewrite, domain),
      path: (path) => replaced(given.cookiePathRewrite, path) ?? "/",
    },
    headers: {
      request: (fields, request) => {
        const made: Mutable = { ...fields, ...headers };
        on.proxyReq?.(editable(made), request);
        return made;
      },
    },
    webSockets: { onOpen: () => on.open?.(), onClose: () => on.close?.() },
    onResponse: async (response, request): Promise<ResponseChange | undefined> => {
      const before: Mutable = { ...response.headers };
      if (intercept !== undefined) {
        const set: Mutable = { "content-encoding": undefined };
        const { setHeader } = editable(set);
        const seen = { headers: response.headers, statusCode: response.status };
        return { body: await intercept(await response.bytes(), seen, request, { setHeader }), headers: set };
      }
      if (on.proxyRes === undefined) return undefined;
      on.proxyRes({ headers: before, statusCode: response.status }, request);
      const gone = Object.keys(response.headers).filter((name) => before[name] === undefined);
      return { headers: { ...before, ...Object.fromEntries(gone.map((name) => [name, undefined])) } };
    },
    passErrors: on.error !== undefined,
  });
  stage.after(() => gateway.close());
  // By itself it is seen by the server that listens, which gives it requests for WebSockets.
  if (on.error === undefined) return gateway;
  return (request, response, next) =>
    gateway(request, response, (error) => {
      if (error === undefined) next();
      else on.error?.(error as Error, request, response);
    });
}

function replaced(rules: Readonly<Record<string, string>> | undefined, value: string): string | undefined {
  const made = rules?.[value] ?? rules?.["*"] ?? value;
  return made === "" ? undefined : made;
}

export interface FastifyProxyOptions {
  readonly upstream: string;
  readonly prefix?: string;
  readonly rewritePrefix?: string;
  readonly internalRewriteLocationHeader?: boolean;
  readonly preRewrite?: (url: string) => string;
  readonly wsHooks?: LbFastifyOptions["webSockets"];
  readonly replyOptions?: {
    readonly getUpstream?: LbFastifyOptions["router"];
    readonly rewriteRequestHeaders?: (request: unknown, headers: HeaderFields) => HeaderFields;
    readonly rewriteHeaders?: (headers: HeaderFields, request: unknown) => HeaderFields;
    readonly onResponse?: LbFastifyOptions["onResponse"];
    readonly onError?: LbFastifyOptions["onError"];
  };
  readonly timeouts?: BalanceOptions["timeouts"];
  readonly retry?: BalanceOptions["retry"];
}

/** `@fastify/http-proxy`, and `@fastify/reply-from` with one route for all. */
export async function httpProxy(app: FastifyInstance, given: FastifyProxyOptions): Promise<void> {
  const { upstream, prefix = "", rewritePrefix, replyOptions = {} } = given;
  const { getUpstream, rewriteHeaders, rewriteRequestHeaders, onResponse, onError } = replyOptions;
  // Its own base path counts where no other is said.
  const base = upstream !== "" && rewritePrefix !== undefined ? new URL(upstream).origin : upstream;
  await app.register(lbFastify, {
    prefix,
    ...(base === "" ? {} : { targets: [base] }),
    ...(getUpstream === undefined ? {} : { router: getUpstream }),
    ...(rewritePrefix === undefined ? {} : { path: rewritePrefix as `/${string}` }),
    changeOrigin: true,
    rewriteLocations: given.internalRewriteLocationHeader ?? true,
    headers: {
      ...(rewriteRequestHeaders === undefined
        ? {}
        : { request: (fields, request) => rewriteRequestHeaders(request, fields) }),
      ...(rewriteHeaders === undefined ? {} : { response: rewriteHeaders }),
    },
    ...(onResponse === undefined ? {} : { onResponse }),
    ...(onError === undefined ? {} : { onError }),
    ...(given.timeouts === undefined ? {} : { timeouts: given.timeouts }),
    ...(given.retry === undefined ? {} : { retry: given.retry }),
    ...(given.wsHooks === undefined ? {} : { webSockets: given.wsHooks }),
  });
}

export interface ExpressProxyOptions {
  readonly filter?: (request: Request) => boolean | Promise<boolean>;
  readonly proxyReqPathResolver?: (request: Request) => string | Promise<string>;
  readonly proxyReqOptDecorator?: (
    options: { headers: Mutable },
    request: Request,
  ) => { headers: Mutable } | Promise<{ headers: Mutable }>;
  readonly userResDecorator?: (
    response: { readonly statusCode: number; readonly headers: HeaderFields },
    body: Buffer,
    request: Request,
  ) => string | Buffer | Promise<string | Buffer>;
  readonly userResHeaderDecorator?: (headers: Mutable, request: Request) => Mutable;
  readonly skipToNextHandlerFilter?: (response: { readonly statusCode: number }) => boolean | Promise<boolean>;
  readonly proxyErrorHandler?: (error: NodeJS.ErrnoException, response: ServerResponse, next: Next) => void;
  readonly limitBytes?: number;
  readonly preserveHostHdr?: boolean;
  readonly timeout?: number;
}

/** `express-http-proxy`. */
export function proxy(
  stage: Stage,
  host: string | ((request: Request) => string),
  given: ExpressProxyOptions = {},
): Handler {
  const { filter, proxyReqPathResolver, proxyReqOptDecorator, userResDecorator, userResHeaderDecorator } = given;
  const { skipToNextHandlerFilter, proxyErrorHandler } = given;
  const url = (text: string) => new URL(/^https?:/.test(text) ? text : `http://${text}`).origin;
  const gateway = balance<Request>({
    router: async (request) => {
      if (filter !== undefined && !(await filter(request))) return "next";
      return url(typeof host === "function" ? host(request) : host);
    },
    ...(proxyReqPathResolver === undefined ? {} : { path: (_, request) => proxyReqPathResolver(request) }),
    headers: {
      request: async (fields, request) =>
        proxyReqOptDecorator === undefined
          ? fields
          : (await proxyReqOptDecorator({ headers: { ...fields } }, request)).headers,
      ...(userResHeaderDecorator === undefined
        ? {}
        : { response: (fields, request) => userResHeaderDecorator({ ...fields }, request) }),
    },
    onResponse: async (response, request) => {
      const seen = { statusCode: response.status, headers: response.headers };
      if (await skipToNextHandlerFilter?.(seen)) return "next";
      if (userResDecorator === undefined || response.status === 304) return undefined;
      return { body: await userResDecorator(seen, await response.bytes(), request) };
    },
    changeOrigin: given.preserveHostHdr !== true,
    ...(given.limitBytes === undefined ? {} : { limits: { maxBodyBytes: given.limitBytes } }),
    ...(given.timeout === undefined ? {} : { timeouts: { responseMs: given.timeout } }),
    retry: false,
    passErrors: true,
  });
  stage.after(() => gateway.close());
  return (request, response, next) =>
    gateway(request, response, (error) => {
      if (error === undefined || proxyErrorHandler === undefined) next(error);
      else proxyErrorHandler(error as NodeJS.ErrnoException, response, next);
    });
}
