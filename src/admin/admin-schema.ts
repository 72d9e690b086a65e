/** Bodies of the admin calls: strict shapes, faults that name the member and repeat nothing of its value. */
import { z } from 'zod';
import { CARD_STATUSES, STATUS_REASONS } from '../card-status.ts';
import { LIMITS } from '../config.ts';
import { formatPath } from '../encoding/json-path.ts';
import { isJsonObject, type JsonObject } from '../encoding/strict-json.ts';
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

export const statusChangesBody = z.strictObject({
  changes: z.array(statusChange).min(1),
  confirm: z.string().optional(),
});
export const statusQueryBody = z.strictObject({ iss: identifier, jti: identifier });
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
  return { ok: false, fault: `${place} is not as described (${issue?.code ?? 'invalid'})` };
}

/** What is refused by name before the shape is looked at; a call over the limit is too large, not malformed. */
export function refuseChanges(body: JsonObject): Problem | undefined {
  const changes = Array.isArray(body.changes) ? body.changes : [];
  if (changes.length > LIMITS.statusChangesPerCall) {
    return { type: 'too-many-items', detail: `at most ${LIMITS.statusChangesPerCall} changes a call` };
  }
  const supersedes = [body, ...changes].some(
    (form) => isJsonObject(form) && (Object.hasOwn(form, 'issuedBefore') || Object.hasOwn(form, 'sub')),
  );
  if (!supersedes) return undefined;
  const detail =
    'superseding by iss, sub and issuedBefore is not supported yet; name each card by iss and jti';
  return { type: 'bad-envelope', detail };
}
