import { isDeepStrictEqual } from "node:util";
import { type RequestHead, RequestHeadParser } from "../../src/http/request-head.ts";
import { ResponseHeadParser } from "../../src/http/response-head.ts";
import type { Random } from "../../src/model/random.ts";
import { composeRequest, composeResponse } from "./compose-message.ts";
import { defaultHttpLimits } from "./default-settings.ts";
import type { FuzzCase, FuzzTarget } from "./fuzz.ts";
import { badRequests, chunkedBodies, dictionary, requests, responses } from "./http-corpus.ts";
import { integerBelow, mutate, pick } from "./mutate.ts";
import { NodeRequestOracle, readAsNodeClient } from "./node-oracle.ts";
import { type RequestReading, readRequest, untrustedPeer } from "./read-request.ts";
import { type ResponseReading, readResponse } from "./read-response.ts";
import { hasFields, referenceDownstreamFields, referenceUpstreamFields } from "./reference-forwarding.ts";

/**
 * What we accept, `node:http` accepts, with the same method, target, header list and body; so it does what we send on,
 * which has the fields that {@link referenceUpstreamFields} finds right; and nothing depends on how the bytes arrive.
 */

const sentinel = "GET /sentinel HTTP/1.1\r\nHost: sentinel\r\n\r\n";
const oracle = new NodeRequestOracle();

export const requestTarget: FuzzTarget = {
  name: "requests",
  check: (random) =>
    checkRequest(changed(pick(random() < 0.8 ? requests : badRequests, random), composeRequest, random), random),
};

export const bodyTarget: FuzzTarget = {
  name: "bodies",
  check(random) {
    const head = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
    const body = pick(chunkedBodies, random);
    return checkRequest(
      Buffer.from(head + (random() < 0.1 ? body : mutate(body, dictionary, random)), "latin1"),
      random,
    );
  },
};

export const responseTarget: FuzzTarget = {
  name: "responses",
  check: (random) => checkResponse(changed(pick(responses, random), composeResponse, random), random),
};

function changed(text: string, compose: (random: Random) => string, random: Random): Buffer {
  const choice = random();
  if (choice < 0.5) return Buffer.from(mutate(text, dictionary, random), "latin1");
  const composed = compose(random);
  return Buffer.from(choice < 0.75 ? composed : mutate(composed, dictionary, random), "latin1");
}

export async function checkRequest(bytes: Buffer, random: Random): Promise<FuzzCase> {
  const reading = readRequest(bytes);
  const parser = new RequestHeadParser(defaultHttpLimits);
  const known = [undefined, ...arrivals(bytes, random)].map((splits) =>
    readRequest(bytes, splits === undefined ? {} : { splits }),
  );
  // One parser that has seen this head before, and then a different one.
  for (let count = 0; count < 2; count++) known.push(readRequest(bytes, { parser }));
  readRequest(Buffer.from(pick(requests, random), "latin1"), { parser });
  known.push(readRequest(bytes, { parser }));
  if (!known.every((other) => isDeepStrictEqual(comparable(other), comparable(reading)))) {
    return { bytes, accepted: reading.kind === "accepted", divergence: "The result depends on how the bytes arrive." };
  }
  if (reading.kind !== "accepted") return { bytes, accepted: false };
  return {
    bytes,
    accepted: true,
    divergence: (await originalDivergence(bytes, reading)) ?? (await upstreamDivergence(reading)),
  };
}

type AcceptedRequest = Extract<RequestReading, { kind: "accepted" }>;

/** Where Node's reading of the bytes themselves differs from ours. */
async function originalDivergence(bytes: Buffer, reading: AcceptedRequest): Promise<string | undefined> {
  const { head } = reading;
  const follows = head.persistent && !mayUpgrade(head);
  const message = bytes.subarray(0, reading.byteLength);
  const node = await oracle.read(follows ? Buffer.concat([message, Buffer.from(sentinel)]) : message);
  const [seen, next] = node.messages;
  if (node.error !== undefined || seen === undefined) return `Node refuses it: ${node.error}`;
  if (!seen.complete) return "Node does not see its end.";
  const target = message.toString("latin1").trimStart().split(" ")[1]!;
  if (seen.method !== head.method || seen.target !== target) return "Method or target differ.";
  if (!target.endsWith(head.target) && !["/", "*"].includes(head.target) && !head.target.startsWith("/?")) {
    return "The target was not reduced to its path.";
  }
  if (!isDeepStrictEqual(seen.rawHeaders, head.headers)) return "Headers differ.";
  if (seen.body !== reading.payload) return "The body differs.";
  if (follows && (node.messages.length !== 2 || next?.target !== "/sentinel")) return "The next request differs.";
  return undefined;
}

/** Whether Node, for which any Upgrade will do, stops behind this request, since the protocol may change there. */
function mayUpgrade(head: RequestHead): boolean {
  return head.fields.connection.upgrade && head.header("upgrade") !== undefined;
}

/** Where Node's reading of what we send upstream differs from what should arrive there. */
async function upstreamDivergence(reading: AcceptedRequest): Promise<string | undefined> {
  const { head, upstreamHead, upstreamBody } = reading;
  const follows = head.upgrade === undefined;
  const node = await oracle.read(Buffer.from(upstreamHead + upstreamBody + (follows ? sentinel : ""), "latin1"));
  const [seen, next] = node.messages;
  if (node.error !== undefined || seen === undefined) return `Node refuses what goes upstream: ${node.error}`;
  if (!seen.complete) return "Node does not see the end of what goes upstream.";
  if (seen.method !== head.method || seen.target !== head.target) return "Method or target differ upstream.";
  if (!hasFields(seen.rawHeaders, referenceUpstreamFields(head, untrustedPeer))) return "Headers differ upstream.";
  if (seen.body !== reading.payload) return "The body differs upstream.";
  if (follows && (node.messages.length !== 2 || next?.target !== "/sentinel"))
    return "The next request differs upstream.";
  return undefined;
}

export async function checkResponse(bytes: Buffer, random: Random): Promise<FuzzCase> {
  const method = random() < 0.1 ? "HEAD" : "GET";
  const reading = readResponse(bytes, { method });
  const parser = new ResponseHeadParser(defaultHttpLimits);
  const known = arrivals(bytes, random).map((splits) => readResponse(bytes, { method, splits }));
  for (let count = 0; count < 2; count++) known.push(readResponse(bytes, { method, parser }));
  readResponse(Buffer.from(pick(responses, random), "latin1"), { method, parser });
  known.push(readResponse(bytes, { method, parser }));
  if (!known.every((other) => isDeepStrictEqual(comparable(other), comparable(reading)))) {
    return { bytes, accepted: reading.kind === "accepted", divergence: "The result depends on how the bytes arrive." };
  }
  if (reading.kind !== "accepted") return { bytes, accepted: false };
  return { bytes, accepted: true, divergence: await responseDivergence(bytes, method, reading) };
}

async function responseDivergence(
  bytes: Buffer,
  method: string,
  reading: Extract<ResponseReading, { kind: "accepted" }>,
): Promise<string | undefined> {
  const { head } = reading;
  const node = await readAsNodeClient(bytes.subarray(0, reading.byteLength), method);
  const [seen] = node.messages;
  if (seen === undefined) return `Node refuses it: ${node.error}`;
  if (head.status !== 101 && !seen.complete) return "Node does not see its end.";
  if (seen.status !== head.status || seen.reason !== head.reason) return "Status or reason differ.";
  if (!isDeepStrictEqual(seen.rawHeaders, head.headers)) return "Headers differ.";
  if (seen.body !== reading.payload) return "The body differs.";
  if (!isDeepStrictEqual(seen.interim, reading.interim)) return "Interim responses differ.";
  const relayed = await readAsNodeClient(
    Buffer.from(reading.downstreamHead + reading.downstreamBody, "latin1"),
    method,
  );
  const [got] = relayed.messages;
  if (got === undefined) return `Node refuses what goes downstream: ${relayed.error}`;
  if (head.status !== 101 && !got.complete) return "Node does not see the end of what goes downstream.";
  if (got.status !== head.status || got.reason !== head.reason) return "Status or reason differ downstream.";
  if (!hasFields(got.rawHeaders, referenceDownstreamFields(head))) return "Headers differ downstream.";
  return got.body === reading.payload ? undefined : "The body differs downstream.";
}

/** Ways in which `bytes` may arrive: octet by octet, which splits everywhere at once, and in a few random pieces. */
function arrivals(bytes: Buffer, random: Random): number[][] {
  const everywhere = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  const some = [1, 2, 3].map((pieces) =>
    Array.from({ length: pieces }, () => integerBelow(bytes.length + 1, random)).sort((a, b) => a - b),
  );
  return [bytes.length <= 1_500 ? everywhere : everywhere.filter((at) => at % 97 === 0), ...some];
}

/** What must not depend on how the bytes arrived. */
function comparable(reading: RequestReading | ResponseReading): unknown {
  if (reading.kind !== "accepted") return reading;
  const { head, ...rest } = reading;
  const { headers, framing, persistent, upgrade, byteLength } = head;
  return { ...rest, headers, framing, persistent, upgrade, headBytes: byteLength };
}
