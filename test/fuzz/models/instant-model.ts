/**
 * RFC 3339 by its own grammar (section 5.6) and by counting days: no date of the platform's has a say. Leap seconds are
 * refused, as the gateway says (docs: OpenAPI).
 */

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const EPOCH_YEAR = 1970;

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysOf = (year: number, month: number): number =>
  (DAYS_OF_MONTH[month - 1] ?? 0) + (month === 2 && isLeap(year) ? 1 : 0);

/** Milliseconds since the epoch, what is below one left out; `undefined`: no instant. */
export function modelInstant(text: string): number | undefined {
  const fixed = /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})/.exec(text);
  if (fixed === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fixed.slice(1).map(Number);
  if (day < 1 || day > daysOf(year, month) || hour >= 24 || minute >= 60 || second >= 60) return undefined;
  const rest = /^(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/.exec(text.slice(fixed[0].length));
  if (rest === null) return undefined;
  const [, digits = '', sign, zoneHour = '0', zoneMinute = '0'] = rest;
  const zone = [Number(zoneHour), Number(zoneMinute)] as const;
  if (zone[0] >= 24 || zone[1] >= 60) return undefined;
  const ms = Number(digits.padEnd(3, '0').slice(0, 3));
  const minutes = 60 * hour + minute - (sign === '-' ? -1 : 1) * (60 * zone[0] + zone[1]);
  return (86_400 * daysSinceEpoch(year, month, day) + 60 * minutes + second) * 1_000 + ms;
}

/** Year by year, month by month: slow, and beyond doubt. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  let days = day - 1;
  for (let one = 1; one < month; one++) days += daysOf(year, one);
  for (let one = EPOCH_YEAR; one < year; one++) days += isLeap(one) ? 366 : 365;
  for (let one = year; one < EPOCH_YEAR; one++) days -= isLeap(one) ? 366 : 365;
  return days;
}
