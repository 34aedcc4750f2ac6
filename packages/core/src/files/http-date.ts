const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const fixed = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const rfc850 = /^\w{6,9}, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const asctime = /^\w{3} (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** Seconds since 1970, of one of the three forms of RFC 9110 §5.6.7; undefined: it is no date. `Date.parse` takes `"x 1"`. */
export function httpDate(text: string, nowSeconds: number): number | undefined {
  const now = fixed.exec(text);
  if (now !== null) return seconds(now[3]!, now[2]!, now[1]!, now.slice(4));
  const short = rfc850.exec(text);
  if (short !== null) {
    // What would be more than 50 years from now was in the last century.
    const thisYear = new Date(nowSeconds * 1_000).getUTCFullYear();
    const year = thisYear - (thisYear % 100) + Number(short[3]);
    return seconds(`${year > thisYear + 50 ? year - 100 : year}`, short[2]!, short[1]!, short.slice(4));
  }
  const old = asctime.exec(text);
  return old === null ? undefined : seconds(old[6]!, old[1]!, old[2]!, old.slice(3, 6));
}

function seconds(year: string, month: string, day: string, time: readonly string[]): number | undefined {
  const index = months.indexOf(month);
  const [hours, minutes, secs] = time.map(Number) as [number, number, number];
  if (index === -1 || hours > 23 || minutes > 59 || secs > 60) return undefined;
  const date = new Date(Date.UTC(Number(year), index, Number(day), hours, minutes, secs));
  // The 31st of a month that has 30 days is none.
  return date.getUTCMonth() === index || secs === 60 ? date.getTime() / 1_000 : undefined;
}
