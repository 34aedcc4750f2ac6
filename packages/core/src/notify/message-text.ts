import { alertText } from "../log/alert-text.ts";
import { counted } from "../log/words.ts";
import type { Alert } from "../model/alert.ts";

export interface Origin {
  readonly cluster: string;
  readonly host: string;
}

/** Several alerts in words: the first line says the most, and is a mail's subject. */
export function messageText({ cluster, host }: Origin, alerts: readonly Alert[], omitted: number): string {
  const whose = `${cluster} on ${host}`;
  const [only] = alerts;
  if (alerts.length === 1 && omitted === 0 && only !== undefined) return `${whose}: ${alertText(only)}`;
  const count = (state: Alert["state"]) => alerts.filter((alert) => alert.state === state).length;
  const [begun, resolved, brief] = [count("firing"), count("resolved"), count("passed")];
  const parts = [
    ...(begun === 0 ? [] : [`${counted(begun, "incident")} began`]),
    ...(resolved === 0 ? [] : [`${counted(resolved, "incident")} resolved`]),
    ...(brief === 0 ? [] : [`${counted(brief, "incident")} came and went`]),
  ];
  const more = omitted === 0 ? [] : [`- and ${omitted} more`];
  return [`${whose}: ${parts.join(", ")}`, ...alerts.map((alert) => `- ${alertText(alert)}`), ...more].join("\n");
}
