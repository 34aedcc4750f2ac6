import type { RetentionSettings } from "./retained-log.ts";

/** What a worker says beside its messages. */
export type WorkerControl =
  | { readonly kind: "hello"; readonly endpointId: string }
  | { readonly kind: "join"; readonly name: string; readonly retention?: RetentionSettings }
  | { readonly kind: "leave"; readonly name: string };

/** What the primary says beside the messages of others. */
export type PrimaryControl =
  /** `sequence`: of the last retained message before whatever follows. */
  | {
      readonly kind: "joined";
      readonly name: string;
      readonly members: readonly string[];
      readonly sequence: number;
    }
  | { readonly kind: "refused"; readonly name: string; readonly reason: string }
  | { readonly kind: "member"; readonly name: string; readonly endpointId: string; readonly present: boolean };

const longestRetentionMs = 86_400_000;
const mostRetainedEntries = 1_000_000;
/** A replay travels in one frame. */
const mostRetainedBytes = 33_000_000;

/** `undefined`: not understood. */
export function readWorkerControl(text: string): WorkerControl | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof raw !== "object" || raw === null) return undefined;
  const { kind, endpointId, name, retention } = raw as Record<string, unknown>;
  if (kind === "hello" && typeof endpointId === "string") return { kind, endpointId };
  if (typeof name !== "string") return undefined;
  if (kind === "leave") return { kind, name };
  if (kind !== "join") return undefined;
  if (retention === undefined) return { kind, name };
  const checked = readRetention(retention);
  return checked && { kind, name, retention: checked };
}

function readRetention(raw: unknown): RetentionSettings | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { maxEntries, maxBytes, maxAgeMs } = raw as Record<string, unknown>;
  if (!isPositive(maxEntries) || !isPositive(maxBytes) || !isPositive(maxAgeMs)) return undefined;
  return {
    maxEntries: Math.min(maxEntries, mostRetainedEntries),
    maxBytes: Math.min(maxBytes, mostRetainedBytes),
    maxAgeMs: Math.min(maxAgeMs, longestRetentionMs),
  };
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && value > 0;
}
