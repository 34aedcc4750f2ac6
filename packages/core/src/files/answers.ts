import type { Random } from "../model/random.ts";
import { type ByteRange, rangesIn } from "./byte-ranges.ts";
import { type CacheRule, cacheControl } from "./cache-control.ts";
import type { FileAnswer, FileRequest, FileSlice } from "./file-request.ts";
import type { KnownFile } from "./known-file.ts";
import { multipart } from "./multipart.ts";
import { judge, rangeHolds } from "./preconditions.ts";
import type { Resolution } from "./resolution.ts";

type Found = Extract<Resolution, { kind: "file" }>;

export interface AnswerRules {
  readonly rules: readonly CacheRule[];
  readonly nowMs: number;
  readonly random: Random;
}

/** With a file, a part of it, or the word that the client has it already. */
export function answerFound(request: FileRequest, found: Found, { rules, nowMs, random }: AnswerRules): FileAnswer {
  const { whole, head, notModified } = answersOf(found, rules);
  const { file, status } = found;
  if (status === 200) {
    const nowSeconds = nowMs / 1_000;
    const verdict = judge(request, file, nowSeconds);
    if (verdict === "not-modified") return notModified;
    if (verdict === "failed") return plain(412, request.method);
    const field = request.method === "GET" ? request.header("range") : undefined;
    if (field !== undefined && rangeHolds(request.header("if-range"), file, nowSeconds)) {
      const ranges = rangesIn(field, file.size);
      if (ranges === "unsatisfiable") return plain(416, request.method, ["Content-Range", `bytes */${file.size}`]);
      if (ranges !== "whole") return partial(whole, found, ranges, random);
    }
  }
  return request.method === "HEAD" ? head : whole;
}

interface Answers {
  readonly whole: FileAnswer;
  readonly head: FileAnswer;
  readonly notModified: FileAnswer;
}

/** Of a version of a file the answers are always the same few. */
const made = new WeakMap<KnownFile, Map<string, Answers>>();

function answersOf(found: Found, rules: readonly CacheRule[]): Answers {
  const { file, status, name, vary, coding } = found;
  let ofFile = made.get(file);
  if (ofFile === undefined) {
    ofFile = new Map();
    made.set(file, ofFile);
  }
  const key = `${status} ${coding?.name} ${vary} ${name}`;
  let answers = ofFile.get(key);
  if (answers === undefined) {
    const fields = fieldsOf(found, rules);
    const body = file.size === 0 ? [] : [part(file, { start: 0, end: file.size })];
    const whole = { status, fields, length: file.size, body };
    const notModified = { status: 304, fields: notModifiedFields(fields), length: undefined, body: [] };
    answers = { whole, head: { ...whole, body: [] }, notModified };
    ofFile.set(key, answers);
  }
  return answers;
}

function fieldsOf({ file, status, name, type, coding, vary }: Found, rules: readonly CacheRule[]): readonly string[] {
  const { etag, lastModified } = file;
  const cached = status === 200 ? cacheControl(name, rules) : "no-cache";
  return [
    ...["Content-Type", type],
    ...(coding === undefined ? [] : ["Content-Encoding", coding.name]),
    ...(lastModified === undefined || status !== 200
      ? []
      : ["Last-Modified", new Date(lastModified * 1_000).toUTCString()]),
    ...(etag === undefined || status !== 200 ? [] : ["ETag", etag]),
    ...(cached === false ? [] : ["Cache-Control", cached]),
    ...(vary === undefined ? [] : ["Vary", vary]),
    ...(status === 200 ? ["Accept-Ranges", "bytes"] : []),
    ...noSniffing,
  ];
}

const noSniffing = ["X-Content-Type-Options", "nosniff"];

/** Those of the representation itself the client has (RFC 9110 §15.4.5). */
const kept = new Set(["ETag", "Last-Modified", "Cache-Control", "Vary"]);

function notModifiedFields(fields: readonly string[]): readonly string[] {
  return fields.filter((_, index) => kept.has(fields[index - (index % 2)]!));
}

function partial(whole: FileAnswer, { file, type }: Found, ranges: readonly ByteRange[], random: Random): FileAnswer {
  const [only, ...others] = ranges as readonly [ByteRange, ...ByteRange[]];
  if (others.length === 0) {
    const contentRange = ["Content-Range", `bytes ${only.start}-${only.end - 1}/${file.size}`];
    return {
      status: 206,
      fields: [...whole.fields, ...contentRange],
      length: only.end - only.start,
      body: [part(file, only)],
    };
  }
  const { contentType, length, body } = multipart({
    ranges,
    size: file.size,
    type,
    random,
    part: (range) => part(file, range),
  });
  const fields = whole.fields.map((text, index) =>
    whole.fields[index - 1] === "Content-Type" && index % 2 === 1 ? contentType : text,
  );
  return { status: 206, fields, length, body };
}

function part({ content, size }: KnownFile, range: ByteRange): Buffer | FileSlice {
  if (!Buffer.isBuffer(content)) return { file: content, ...range };
  return range.end - range.start === size ? content : content.subarray(range.start, range.end);
}

/** To the same URL with a slash at the end; relative, so that it leads to no other host, whatever the path looks like. */
export function redirect(target: string): FileAnswer {
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  const segment = path.slice(path.lastIndexOf("/") + 1);
  return {
    ...empty,
    status: 301,
    fields: ["Location", `./${segment}/${query === -1 ? "" : target.slice(query)}`, "Cache-Control", "no-cache"],
  };
}

const empty = { length: 0, body: [] } as const;

const texts: Readonly<Record<number, string>> = {
  404: "404 Not Found\n",
  405: "405 Method Not Allowed\n",
  412: "412 Precondition Failed\n",
  416: "416 Range Not Satisfiable\n",
  503: "503 Service Unavailable\n",
};

function plain(status: number, method: string, fields: readonly string[] = []): FileAnswer {
  const body = Buffer.from(texts[status]!);
  const type = ["Content-Type", "text/plain; charset=utf-8", ...noSniffing];
  return { status, fields: [...type, ...fields], length: body.length, body: method === "HEAD" ? [] : [body] };
}

const notFoundFields = ["Cache-Control", "no-cache"];
const notFound = { GET: plain(404, "GET", notFoundFields), HEAD: plain(404, "HEAD", notFoundFields) };

export function notHere(method: string): FileAnswer {
  return method === "HEAD" ? notFound.HEAD : notFound.GET;
}

/** Of methods that do more than read. */
export const refused = plain(405, "GET", ["Allow", "GET, HEAD"]);

export const unavailable = plain(503, "GET", ["Retry-After", "1"]);
