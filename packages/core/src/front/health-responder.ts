import type { ForwardingFacts } from "../http/forwarding.ts";
import type { RequestHead } from "../http/request-head.ts";
import { bearerToken, forwardingFields, type HealthAnswer, type HealthCheck, pathOf } from "../ipc/health-check.ts";
import type { Responder, Response } from "./responder.ts";

/** Knows how the cluster is. */
export interface HealthAnswers {
  /** Where health checks come to; what begins otherwise is none. */
  readonly path: string;
  /** Undefined: it is a request for the app. */
  answer(check: HealthCheck): HealthAnswer | undefined;
}

/** Answers health checks that come to the public port. */
export class HealthResponder implements Responder {
  readonly #answers: HealthAnswers;

  constructor(answers: HealthAnswers) {
    this.#answers = answers;
  }

  respond(request: RequestHead, facts: ForwardingFacts): Response | undefined {
    const { method, target, framing, upgrade } = request;
    if (!target.startsWith(this.#answers.path) || (method !== "GET" && method !== "HEAD")) return undefined;
    if (framing.kind !== "none" || upgrade !== undefined) return undefined;
    const answer = this.#answers.answer({
      path: pathOf(target),
      clientAddress: request.clientAddress,
      token: bearerToken(request.header("authorization")),
      indirect: !facts.peerTrusted && forwardingFields.some((name) => request.header(name) !== undefined),
    });
    return answer && { kind: "answer", reason: "health", fields: notToBeKept, ...answer };
  }
}

const notToBeKept = ["Content-Type", "application/json", "Cache-Control", "no-store"];
