/**
 * Problem documents (RFC 9457). `type` is a relative reference and stable: callers branch on it. The table is
 * closed, so that the OpenAPI description lists every error there is.
 */

export const PROBLEMS = {
  'bad-framing': { status: 400, title: 'The request is not framed as this gateway accepts it' },
  'bad-envelope': { status: 400, title: 'The request body is not as described' },
  'bad-header': { status: 400, title: 'A request header is not as described' },
  unauthorized: { status: 401, title: 'A bearer token that is in force is required' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  'not-found': { status: 404, title: 'There is nothing at this path' },
  'method-not-allowed': { status: 405, title: 'This path does not take this method' },
  'body-timeout': { status: 408, title: 'The request body did not arrive in time' },
  'mass-change-held': { status: 409, title: 'Too many status changes in ten minutes: confirm to apply' },
  'revocation-final': { status: 409, title: 'A revocation is final' },
  'filter-rebuild-under-way': { status: 409, title: 'The revocation filter is being rebuilt already' },
  'trust-list-refused': { status: 409, title: 'The trust list was refused; the one in force stays' },
  'body-too-large': { status: 413, title: 'The request body is too large' },
  'too-many-items': { status: 413, title: 'The request names too many items' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported here' },
  'unsupported-content-encoding': { status: 415, title: 'Content encodings are not supported' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used for another request' },
  'quota-exceeded': { status: 429, title: "The caller's quota is used up" },
  'internal-error': { status: 500, title: 'The gateway failed to answer' },
  'not-ready': { status: 503, title: 'The gateway may not take traffic now' },
  overloaded: { status: 503, title: 'The gateway is overloaded' },
  'status-unavailable': { status: 503, title: 'The status change could not be confirmed as durable' },
  'audit-unavailable': { status: 503, title: 'The audit trail cannot be written' },
  'filter-not-rebuilt': {
    status: 503,
    title: 'The revocation filter cannot be rebuilt; the one in force stays',
  },
  'trust-list-unreachable': { status: 503, title: 'The trust list could not be fetched' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemType = keyof typeof PROBLEMS;

/** Members beyond RFC 9457's own that some types carry, such as the `token` of a held mass change. */
export type ProblemExtension = Readonly<Record<string, string | number | readonly string[]>>;

/** A refusal on its way to the caller; `detail` is for people and repeats nothing of the input. */
export interface Problem {
  readonly type: ProblemType;
  readonly detail: string;
  readonly extension?: ProblemExtension;
}

/** Something here went wrong, and nobody knows how far it had come. */
export const UNANSWERED: Problem = {
  type: 'internal-error',
  detail: 'the request was not answered; nothing is known of it',
};

/** The problem as an answer. */
export function problemReply({ type, detail, extension }: Problem): {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
} {
  const { status, title } = PROBLEMS[type];
  const body = JSON.stringify({ type, title, status, detail, ...extension });
  return { status, contentType: 'application/problem+json', body };
}
