/** Bodies of the admin calls: strict shapes, faults that name the member and repeat nothing of its value. */
import { z } from 'zod';
import { CARD_STATUSES, STATUS_REASONS } from '../card-status.ts';
import { LIMITS } from '../config.ts';
import { formatPath } from '../encoding/json-path.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../encoding/strict-json.ts';
import type { Problem } from '../ingress/problem.ts';

const identifier = z.string().min(1);

const statusChange = z.strictObject({
  iss: identifier,
  jti: identifier,
  status: z.enum(CARD_STATUSES),
  why: z.enum(STATUS_REASONS).optional(),
  /** When the credential expires anyway (seconds since the epoch, as its `exp`): says from when on its card may leave the filter. */
  expiresAt: z.number().nonnegative().optional(),
});

const TOO_FAR_AHEAD = `lies more than ${LIMITS.supersedeAheadSeconds / 3_600} hours ahead, and would be final`;
const supersedeAt = (wallMs: () => number) =>
  z.strictObject({
    iss: identifier,
    sub: identifier,
    /** Seconds since the epoch, as `iat`. It is final: one that is far ahead would revoke credentials yet to be issued. */
    issuedBefore: z
      .number()
      .nonnegative()
      .refine((instant) => instant <= wallMs() / 1000 + LIMITS.supersedeAheadSeconds, TOO_FAR_AHEAD),
    expiresAt: z.number().nonnegative().optional(),
  });

/** One of two shapes, by a member that only a supersede may have: so a fault is named by the shape that was meant. */
function eitherOf<S extends z.ZodType, C extends z.ZodType>(ofSupersede: S, ofCard: C) {
  return z.unknown().transform((form, context): z.infer<S> | z.infer<C> => {
    const checked = (isSupersedeForm(form) ? ofSupersede : ofCard).safeParse(form);
    if (checked.success) return checked.data as z.infer<S> | z.infer<C>;
    // As zod raised them, with their paths below this place.
    type Raised = (typeof context.issues)[number];
    for (const issue of checked.error.issues) context.issues.push({ ...issue, input: form } as Raised);
    return z.NEVER;
  });
}

/**
 * A supersede may be all of the body: then it is the one change of the call.
 *
 * @param wallMs milliseconds since the epoch, now.
 */
export const statusChangesBody = (wallMs: () => number) =>
  z.preprocess(
    (body) => (isSupersedeForm(body) && !Object.hasOwn(body, 'changes') ? asChanges(body) : body),
    z.strictObject({
      changes: z.array(eitherOf(supersedeAt(wallMs), statusChange)).min(1),
      confirm: z.string().optional(),
    }),
  );
export const statusQueryBody = eitherOf(
  z.strictObject({ iss: identifier, sub: identifier }),
  z.strictObject({ iss: identifier, jti: identifier }),
);
export const keyRetirementBody = z.strictObject({ iss: identifier, kid: identifier });
export const filterRebuildBody = z.strictObject({});
export const reloadBody = z.strictObject({ allowShrink: z.boolean().optional() });

/** Every value of a shape, or the path and kind of the first fault. */
export function checkBody<T extends z.ZodType>(
  shape: T,
  body: JsonObject,
): { ok: true; value: z.infer<T> } | { ok: false; fault: string } {
  const result = shape.safeParse(body);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0];
  const place = formatPath(issue?.path ?? []) || 'the body';
  // zod quotes unknown names and received values in its messages; ours are made of the path and the kind.
  if (issue?.code === 'unrecognized_keys') return { ok: false, fault: `${place} has an unknown member` };
  // The words of our own rules, which quote nothing.
  if (issue?.code === 'custom') return { ok: false, fault: `${place} ${issue.message}` };
  return { ok: false, fault: `${place} is not as described (${issue?.code ?? 'invalid'})` };
}

function isSupersedeForm(form: unknown): form is JsonObject {
  // What is looked at here has been parsed as JSON.
  const json = form as JsonValue;
  return isJsonObject(json) && (Object.hasOwn(json, 'issuedBefore') || Object.hasOwn(json, 'sub'));
}

function asChanges({ confirm, ...supersede }: JsonObject): JsonObject {
  return confirm === undefined ? { changes: [supersede] } : { changes: [supersede], confirm };
}

/** A call over the limit is too large, not malformed. */
export function refuseChanges(body: JsonObject): Problem | undefined {
  const changes = Array.isArray(body.changes) ? body.changes : [];
  if (changes.length <= LIMITS.statusChangesPerCall) return undefined;
  return { type: 'too-many-items', detail: `at most ${LIMITS.statusChangesPerCall} changes a call` };
}
