import type { Known } from "./known.ts";
import { trafficRows } from "./traffic-rows.ts";

/** A part of the screen that has the keys. */
export type Pane = "instances" | "traffic" | "events" | "logs";

/** Those there are, from top to bottom. */
export function panesOf(known: Known): readonly Pane[] {
  return trafficRows(known).length === 0 ? ["instances", "events", "logs"] : ["instances", "traffic", "events", "logs"];
}
