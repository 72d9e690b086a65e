/** What came back, in one form: `400 bad-framing, closed`; `200 ok, open` for a verdict; the parser's answers say so. */
import type { RawAnswer, RawExchange } from '../support/raw-http.ts';

export function described({ answers, closed }: Pick<RawExchange, 'answers' | 'closed'>): string {
  const end = closed ? 'closed' : 'open';
  if (answers.length === 0) return `no answer, ${end}`;
  return `${answers.map(describedAnswer).join(' + ')}, ${end}`;
}

/** One answer, whatever became of the connection. */
export function describedAnswer({ status, headers, body }: RawAnswer): string {
  // The gateway's own answers carry a request id, without exception.
  if (headers['x-request-id'] === undefined) return `parser ${status}`;
  return [status, gistOf(body)].filter((part) => part !== '').join(' ');
}

/** The reason of a verdict, the type of a problem, the summary of a batch. */
export function gistOf(body: string): string {
  if (!body.startsWith('{')) return '';
  const { type, reason, summary } = JSON.parse(body) as Record<string, unknown>;
  if (typeof type === 'string') return type;
  if (typeof reason === 'string') return reason;
  return summary === undefined ? '' : JSON.stringify(summary);
}
