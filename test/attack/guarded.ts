/** A gateway that asks who calls: its callers, all synthetic, and what their attacks need of it. */
import { bearer, callersFile, oneKey, type TestCaller } from '../support/callers.ts';
import { FASTEST_ENGINE } from '../support/gateway.ts';
import { type AttackTarget, openTarget } from './attack-target.ts';

/** So slow that no token comes back while a case runs; who may send batches must have room for the largest. */
const FEW = { perSecond: 0.01, burst: 20 } as const;
const MANY = { perSecond: 0.01, burst: 10_000 } as const;

export const caller = (name: string, more: Partial<TestCaller> = {}): TestCaller => ({
  name,
  scopes: ['verify', 'batch'],
  keys: [oneKey()],
  ...more,
});

export const GREEDY = caller('greedy', { scopes: ['verify'], quota: FEW });
/** Another with as little, who says to be many. */
export const DISGUISED = caller('disguised', { scopes: ['verify'], quota: FEW });
export const HOARDER = caller('hoarder', { scopes: ['verify', 'batch', 'lots'], quota: MANY });
export const OTHER = caller('other-one');
export const SINGLE = caller('single', { scopes: ['verify'] });

/** With two threads, among which connections are shared. */
export async function openGuarded(): Promise<AttackTarget> {
  const files = callersFile([GREEDY, DISGUISED, HOARDER, OTHER, SINGLE]);
  const env = { ...FASTEST_ENGINE, ...files.env, VIGIE_WORKERS: '2' };
  const target = await openTarget({ env }, [`Authorization: ${bearer(OTHER).authorization}`]).catch(
    (error: unknown) => {
      files.dispose();
      throw error;
    },
  );
  const dispose = async (): Promise<void> => {
    await target.dispose();
    files.dispose();
  };
  return { ...target, dispose };
}
