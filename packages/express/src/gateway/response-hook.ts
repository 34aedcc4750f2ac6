import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { GatewayError } from "../errors.ts";
import { after } from "./after.ts";
import type { AnswerBody } from "./answer-body.ts";
import type { HeaderFields } from "./header-options.ts";
import { changedResponse } from "./response-change.ts";
import type { ClientHead } from "./response-head.ts";
import type { ResponseHook, TargetResponse } from "./response-options.ts";
import { resultOf } from "./user-function.ts";

export interface HookedAnswer {
  readonly head: ClientHead;
  /** Undefined: the endpoint's, as it comes. */
  readonly body: Buffer | Readable | undefined;
}

export interface HookOptions {
  readonly head: ClientHead;
  readonly body: AnswerBody;
  readonly target: string;
  readonly method: string;
  readonly request: unknown;
}

/**
 * What the client gets of an answer that a function of the app's has a say in.
 *
 * @throws GatewayError, or rejects with one: `LB_RULE` for a function that fails or returns what no response can be
 */
export function hookedAnswer(
  hook: ResponseHook,
  options: HookOptions,
): HookedAnswer | "next" | PromiseLike<HookedAnswer | "next"> {
  const { head, body, method, request } = options;
  const seen = seenResponse(options);
  return after(
    resultOf('The function in the option "onResponse"', () => hook(seen, request)),
    (verdict): HookedAnswer | "next" | PromiseLike<HookedAnswer | "next"> => {
      if (verdict === "next") return verdict;
      if (verdict === undefined) return unchanged(head, body);
      return changedResponse(head, verdict, method).then((changed) =>
        changed.body === undefined ? unchanged(changed.head, body) : { head: changed.head, body: changed.body },
      );
    },
  );
}

function unchanged(head: ClientHead, body: AnswerBody): HookedAnswer | PromiseLike<HookedAnswer> {
  switch (body.use) {
    case "untouched":
      return { head, body: undefined };
    case "whole":
      return body.raw().then((raw) => ({ head, body: raw }));
    case "streamed":
      throw new GatewayError(
        "LB_RULE",
        'The function in the option "onResponse" took the body as a stream: return { body } with what is sent in its place',
      );
  }
}

function seenResponse({ head, body, target }: HookOptions): TargetResponse {
  let headers: HeaderFields | undefined;
  return {
    status: head.status,
    target,
    get headers() {
      headers ??= fieldsByName(head.fields);
      return headers;
    },
    bytes: () => body.bytes(),
    text: async () => {
      const bytes = await body.bytes();
      return textOf(bytes, String(fieldsByName(head.fields)["content-type"] ?? ""));
    },
    stream: () => body.stream(),
  };
}

function fieldsByName(fields: readonly string[]): HeaderFields {
  const headers: OutgoingHttpHeaders = Object.create(null);
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!.toLowerCase();
    const known = headers[name];
    // Cookies are a list also where there is one.
    if (known === undefined && name !== "set-cookie") headers[name] = fields[index + 1]!;
    else headers[name] = [known ?? [], fields[index + 1]!].flat() as string[];
  }
  return headers as HeaderFields;
}

/** A charset that is not known is taken for UTF-8, as one that is not named. */
function textOf(bytes: Buffer, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
