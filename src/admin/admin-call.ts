/** What every admin call does alike: its route, its body, its answer. */
import type { z } from 'zod';
import type { AdminScope } from '../callers/caller-list.ts';
import { LIMITS } from '../config.ts';
import type { JsonObject } from '../encoding/strict-json.ts';
import { parseObject } from '../ingress/envelope.ts';
import type { Exchange } from '../ingress/exchange.ts';
import type { Problem } from '../ingress/problem.ts';
import type { Route } from '../ingress/route.ts';
import { checkBody } from './admin-schema.ts';

const BODY = { maxBytes: LIMITS.adminBodyBytes, mediaTypes: ['application/json'] };

export const UNREADABLE: Problem = {
  type: 'status-unavailable',
  detail: 'the status store cannot be read',
};

export interface AdminPost {
  readonly path: string;
  /** Stands for the path in metrics. */
  readonly name: string;
  readonly scope: AdminScope;
  /** A call without a body means one with every member left out. */
  readonly optionalBody?: boolean;
  handle(exchange: Exchange, body: Buffer): void | Promise<void>;
}

export function post({ path, name, scope, optionalBody = false, handle }: AdminPost): Route {
  return { method: 'POST', path, name, scope, body: { ...BODY, optional: optionalBody }, handle };
}

/** `describe` gives `undefined` while what is asked for cannot be read. */
export function get(path: string, name: string, describe: () => object | undefined): Route {
  return {
    method: 'GET',
    path,
    name,
    scope: 'read',
    handle: (exchange) => {
      const document = describe();
      if (document === undefined) exchange.problem(UNREADABLE);
      else answer(exchange, document);
    },
  };
}

/** The checked body; `undefined` when it was refused, which has been answered then. */
export function readBody<T extends z.ZodType>(
  exchange: Exchange,
  body: Buffer,
  shape: T,
  refuse?: (body: JsonObject) => Problem | undefined,
): z.infer<T> | undefined {
  const envelope = parseObject(body);
  if (!envelope.ok) {
    exchange.problem(envelope.problem);
    return undefined;
  }
  const refusal = refuse?.(envelope.value);
  if (refusal !== undefined) {
    exchange.problem(refusal);
    return undefined;
  }
  const checked = checkBody(shape, envelope.value);
  if (checked.ok) return checked.value;
  exchange.problem({ type: 'bad-envelope', detail: checked.fault });
  return undefined;
}

export function answer(exchange: Exchange, document: object): void {
  const headers = { 'cache-control': 'no-store' };
  exchange.reply({ status: 200, contentType: 'application/json', body: JSON.stringify(document), headers });
}
