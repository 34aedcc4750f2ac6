import { Cron } from "croner";

/** Whether it says when: five fields, or six with seconds first, or a name such as `@daily`. */
export function isCron(pattern: string): boolean {
  try {
    return nextTime(pattern, new Date(0)) !== undefined;
  } catch {
    return false;
  }
}

/** The next time after this one, in local time. Undefined: there is none any more. */
export function nextTime(pattern: string, after: Date): Date | undefined {
  return new Cron(pattern, { paused: true }).nextRun(after) ?? undefined;
}
