/** Instants in text (RFC 3339 section 5.6), read strictly. */

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const MINUTE_MS = 60_000;

/**
 * The instant (milliseconds since the epoch); `undefined` when the text is none. A leap second is none either: this
 * platform's clock has none, and no credential can depend on one. Digits beyond the millisecond are dropped.
 */
export function parseRfc3339(text: string): number | undefined {
  const [, day, hour, minute, second, fraction = '', zone] = DATE_TIME.exec(text) ?? [];
  if (day === undefined || zone === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const offset = offsetMs(zone);
  const local = new Date(`${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}Z`);
  // A day that the calendar does not have is carried over, or is no date at all.
  if (offset === undefined || Number.isNaN(local.getTime()) || !local.toISOString().startsWith(day)) {
    return undefined;
  }
  return local.getTime() - offset;
}

function offsetMs(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (60 * hours + minutes) * MINUTE_MS;
}
