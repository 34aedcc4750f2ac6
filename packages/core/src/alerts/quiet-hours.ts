import type { QuietHoursSettings } from "../options/alert-options.ts";

const minuteMs = 60_000;
const dayMinutes = 1_440;

/** How long the quiet hours last from `at` on, in milliseconds; 0: there are none now. They may go over midnight. */
export function quietFor({ from, to, timeZone }: QuietHoursSettings, at: number): number {
  const minute = minuteOfDay(at, timeZone);
  const length = (to - from + dayMinutes) % dayMinutes;
  const passed = (minute - from + dayMinutes) % dayMinutes;
  if (passed >= length) return 0;
  // To the end of a minute, which is where the next one begins in all zones there are.
  return (length - passed) * minuteMs - (at % minuteMs);
}

function minuteOfDay(at: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
  const [hour = 0, minute = 0] = parts.format(at).split(":").map(Number);
  return hour * 60 + minute;
}
