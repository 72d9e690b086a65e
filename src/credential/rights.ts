/** The claim `rights`: from which day to which the holder is covered, judged by the day in Paris. */
import { isJsonObject, type JsonValue } from '../encoding/strict-json.ts';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const HOUR_MS = 3_600_000;

/** Where the holder is covered; the zone's rules are the platform's. */
const calendar = new Intl.DateTimeFormat('en', {
  timeZone: 'Europe/Paris',
  calendar: 'iso8601',
  numberingSystem: 'latn',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

/** Whether rights are open on a day (`YYYY-MM-DD`): `from` and `until` are the first and the last day. */
export function rightsAreOpen(rights: JsonValue | undefined, day: string): boolean {
  if (!isJsonObject(rights)) return false;
  const { from, until } = rights;
  if (!isDay(from) || !isDay(until)) return false;
  // Of one form and length: as texts they stand in the order of days.
  return from <= day && day <= until;
}

/** A day that the calendar has. */
function isDay(value: JsonValue | undefined): value is string {
  if (typeof value !== 'string' || !DAY.test(value)) return false;
  const instant = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(value);
}

/**
 * The day in Paris at an instant (milliseconds since the epoch), `YYYY-MM-DD`. To be made once for many: days and clocks
 * change on the hour there, so what was found holds for all of it.
 */
export function createDayInParis(): (instantMs: number) => string {
  let hour = Number.NaN;
  let day = '';
  return (instantMs) => {
    const asked = Math.floor(instantMs / HOUR_MS);
    if (asked !== hour) {
      hour = asked;
      day = dayInParis(instantMs);
    }
    return day;
  };
}

function dayInParis(instantMs: number): string {
  const parts = new Map(calendar.formatToParts(instantMs).map(({ type, value }) => [type, value]));
  return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`;
}
