import type { InstanceState } from "../api/types.ts";

/** How much a state asks for attention; always shown beside its name. */
export type Tone = "good" | "busy" | "bad" | "off";

const tones: Readonly<Record<InstanceState, Tone>> = {
  ready: "good",
  starting: "busy",
  draining: "busy",
  drained: "off",
  done: "off",
  unhealthy: "bad",
  stopped: "bad",
  "crash-loop": "bad",
};

export function toneOf(state: InstanceState): Tone {
  return tones[state];
}
