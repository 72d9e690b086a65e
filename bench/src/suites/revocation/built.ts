/** The parts of the built service that this suite calls itself, typed by their sources. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DIST_DIR } from '../../paths.ts';
import { Unavailable } from '../../suite.ts';

type AddonModule = typeof import('../../../../src/native/addon.ts');
type CardHashModule = typeof import('../../../../src/revocation/card-hash.ts');
type CardLookupModule = typeof import('../../../../src/revocation/card-lookup.ts');
type ClockModule = typeof import('../../../../src/clock.ts');
type CopyModule = typeof import('../../../../src/revocation/shared/lmdb-copy.ts');
type EpochModule = typeof import('../../../../src/revocation/shared/epoch.ts');
type FieldsModule = typeof import('../../../../src/native/fields.ts');
type FilterModule = typeof import('../../../../src/revocation/bloom-filter.ts');
type KeysModule = typeof import('../../../../src/revocation/shared/redis/keys.ts');
type RedisLogModule = typeof import('../../../../src/revocation/shared/redis/redis-log.ts');
type SavingModule = typeof import('../../../../src/revocation/filter-saving.ts');
type SchemaModule = typeof import('../../../../src/revocation/shared/redis/script.ts');
type SecretModule = typeof import('../../../../src/revocation/deployment-secret.ts');
type SnapshotModule = typeof import('../../../../src/revocation/shared/filter-snapshot.ts');
type StateModule = typeof import('../../../../src/revocation/store-state.ts');
type StoreModule = typeof import('../../../../src/revocation/status-store.ts');

export async function loadBuilt() {
  if (!existsSync(join(DIST_DIR, 'cli', 'vigie.js'))) {
    throw new Unavailable('the service is not built: npm run build');
  }
  return {
    addon: await load<AddonModule>('native/addon'),
    cardHash: await load<CardHashModule>('revocation/card-hash'),
    cardLookup: await load<CardLookupModule>('revocation/card-lookup'),
    clock: await load<ClockModule>('clock'),
    copy: await load<CopyModule>('revocation/shared/lmdb-copy'),
    epoch: await load<EpochModule>('revocation/shared/epoch'),
    fields: await load<FieldsModule>('native/fields'),
    filter: await load<FilterModule>('revocation/bloom-filter'),
    keys: await load<KeysModule>('revocation/shared/redis/keys'),
    redisLog: await load<RedisLogModule>('revocation/shared/redis/redis-log'),
    saving: await load<SavingModule>('revocation/filter-saving'),
    schema: await load<SchemaModule>('revocation/shared/redis/script'),
    secret: await load<SecretModule>('revocation/deployment-secret'),
    snapshot: await load<SnapshotModule>('revocation/shared/filter-snapshot'),
    state: await load<StateModule>('revocation/store-state'),
    store: await load<StoreModule>('revocation/status-store'),
  };
}

export type Built = Awaited<ReturnType<typeof loadBuilt>>;

/** The address of a built module, for threads that import it themselves. */
export function builtModule(name: string): string {
  return pathToFileURL(join(DIST_DIR, `${name}.js`)).href;
}

async function load<Module>(name: string): Promise<Module> {
  return (await import(builtModule(name))) as Module;
}
