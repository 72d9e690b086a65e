/** A line of an audit trail: JSON whose last members are the MAC of the line before and its own. */
import { hmacSha256 } from '../hmac.ts';

/** What is told of an event; no member of it may name a card, a person or anything that a caller wrote. */
export type AuditEntry = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Before the first line of all. */
export const NO_LINE = '0'.repeat(32);

/** A line's text, its MAC last. */
export function lineOf(fields: AuditEntry, key: Uint8Array): { readonly text: string; readonly mac: string } {
  const body = JSON.stringify(fields);
  const mac = macOf(body, key);
  return { text: `${body.slice(0, -1)},"mac":"${mac}"}\n`, mac };
}

/** 128 bits, hexadecimal. */
function macOf(body: string, key: Uint8Array): string {
  return hmacSha256(key, Buffer.from(body)).toString('hex', 0, 16);
}

const LINE = /^(\{"n":(\d{1,15}),.*"prev":"([0-9a-f]{32})")(?:),"mac":"([0-9a-f]{32})"\}$/;

export type CheckedLine =
  | { readonly ok: true; readonly number: number; readonly prev: string; readonly mac: string }
  | { readonly ok: false };

/** Whether a line is one of the trail's own; that it follows the one before, its `prev` must say. */
export function checkLine(line: string, key: Uint8Array): CheckedLine {
  const match = LINE.exec(line);
  if (match === null) return { ok: false };
  const [, body, number, prev, mac] = match as unknown as [string, string, string, string, string];
  if (macOf(`${body}}`, key) !== mac) return { ok: false };
  return { ok: true, number: Number(number), prev, mac };
}
