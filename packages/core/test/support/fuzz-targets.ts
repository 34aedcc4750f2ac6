import type { FuzzTarget } from "./fuzz.ts";
import { frameTarget } from "./fuzz-frames.ts";
import { bodyTarget, requestTarget, responseTarget } from "./http-fuzz.ts";
import { http2Target } from "./http2-fuzz.ts";
import { routeTarget } from "./route-fuzz.ts";

/** All that `pnpm fuzz` knows. */
export const fuzzTargets: readonly FuzzTarget[] = [
  requestTarget,
  responseTarget,
  bodyTarget,
  frameTarget,
  http2Target,
  routeTarget,
];
