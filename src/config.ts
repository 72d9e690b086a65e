/** Every setting: name, unit, default, range, and why it exists. How they are read stands in `read-config.ts`. */
import { availableParallelism } from 'node:os';
import {
  choice,
  type IntegerSetting,
  integer,
  note,
  port,
  type RatioSetting,
  type Setting,
  text,
} from './setting.ts';

/** Bounds that the wire contract fixes; they are not settings, because callers rely on them. */
export const LIMITS = {
  singleBodyBytes: 64 * 1024,
  batchBodyBytes: 16 * 1024 * 1024,
  batchItems: 10_000,
  /** A batch of more is a lot: a caller with a name needs the scope `lots` for it. */
  lotItems: 1_000,
  /** Callers of one listener, each a value of a metric's label; one whose name is new takes a place for the process's life. */
  callers: 1_000,
  /** More names than that may come and go while a process lives; beyond, new ones share the place `other`. */
  callerPlaces: 4_000,
  callersFileBytes: 1024 * 1024,
  /** A longer batch item is `malformed` without being looked at. */
  credentialChars: 64 * 1024,
  /** A longer holder proof is `holder_proof_invalid` without being looked at. */
  proofChars: 4_096,
  adminBodyBytes: 4 * 1024 * 1024,
  statusChangesPerCall: 1_000,
  /** How far ahead of now a holder proof's `iat` may lie where the call names a nonce (seconds): phones' clocks are odd. */
  proofAheadSeconds: 3_600,
  /** Slices of single calls that wait, on one worker, for what other gateways say of their proofs or their cards. */
  waitingSlices: 64,
  /**
   * How far after now a supersede's `issuedBefore` may lie: it is final, and revokes whatever is issued until then. Room
   * for clocks and for a change of rights at midnight; milliseconds in the place of seconds lie beyond.
   */
  supersedeAheadSeconds: 24 * 3_600,
  /** Tolerance for credential dates (seconds); key dates have none. */
  clockSkewSeconds: 30,
  requestIdChars: 128,
  idempotencyKeyChars: 256,
  /** The window in which `VIGIE_MASS_CHANGE_LIMIT` counts. */
  massChangeWindowMs: 10 * 60_000,
  /** Beyond this age the revocation state is `stale` and every answer says so. */
  revocationStaleMs: 5_000,
  /** At most one trust list refresh per this time is triggered by unknown kids, for all callers together. */
  unknownKeyRefreshMs: 30_000,
  /** Connections open at the admin listener, and at the metrics listener: each has a handful of callers. */
  mainListenerConnections: 256,
} as const;

/**
 * An answer given before its body was read leaves the rest of the body to be read and dropped, which lets the
 * client see the answer. Beyond this size the connection is closed instead.
 */
export const DROPPED_BODY_BYTES = 32 * 1024 * 1024;

/** How a batch's body is held while it arrives; nobody outside relies on these. */
export const BATCH_STREAM = {
  /** A slice's text: a few large items take as long as many small ones. */
  sliceBytes: 256 * 1024,
  /** So much is gathered before a slice is begun, unless the body is at its end: engines like company. */
  gatherBytes: 128 * 1024,
  /** With more than this waiting to be verified, the client is made to wait. */
  pauseBytes: 512 * 1024,
  /** So much may wait all the same, since the parser hands over what the kernel has; from fast clients more. */
  windowBytes: 1024 * 1024,
  /** Buffers for bodies and answers, of which a worker keeps some: the parser hands over up to 512 KiB at once. */
  bufferBytes: 1024 * 1024,
  /**
   * As many as are in use at once at full load, with a third more (22 to 24, measured): each that is let go lies about
   * until the collector has looked through all of the heap.
   */
  spareBuffers: 32,
} as const;

export type EngineChoice = 'auto' | 'native' | 'openssl' | 'noble';
export type KernelChoice = 'auto' | 'ifma' | 'portable';
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export const SETTINGS = {
  host: text('VIGIE_HOST', '127.0.0.1', 'address of the data listener'),
  port: port('VIGIE_PORT', 8080, 'port of the data listener; 0 takes a free one'),
  adminHost: text('VIGIE_ADMIN_HOST', '127.0.0.1', 'address of the admin listener'),
  adminPort: port('VIGIE_ADMIN_PORT', 8081, 'port of the admin listener; 0 takes a free one'),
  metricsHost: text('VIGIE_METRICS_HOST', '127.0.0.1', 'address of the metrics listener'),
  metricsPort: port('VIGIE_METRICS_PORT', 9464, 'port of the metrics listener; 0 takes a free one'),
  auth: choice(
    'VIGIE_AUTH',
    ['none', 'keys', 'oauth'],
    'none',
    'who may call the data listener: anybody, or whom the callers file names; on another address than loopback `none` must be said explicitly',
  ),
  callersFile: note(
    'VIGIE_CALLERS_FILE',
    'none; needed with `VIGIE_AUTH=keys`',
    'callers of the data listener: names, hashes of their keys, scopes, quotas (`vigie caller add`)',
  ),
  adminTokenFile: note(
    'VIGIE_ADMIN_TOKEN_FILE',
    'none: admin opens on loopback only',
    'file with a bearer token that may do everything at the admin listener',
  ),
  adminCallersFile: note(
    'VIGIE_ADMIN_CALLERS_FILE',
    'none',
    'those who may use the admin listener, by name and scope, each with keys of their own (`vigie caller add`)',
  ),
  callersRefreshSeconds: integer(
    'VIGIE_CALLERS_REFRESH_SECONDS',
    5,
    1,
    3_600,
    'time between looks at both files of callers: a key that is taken out of one is refused from then on',
  ),
  tlsCertFile: note(
    'VIGIE_TLS_CERT_FILE',
    'none: the data listener speaks plain HTTP',
    'PEM certificate chain of the data listener, with its key file; read at start',
  ),
  tlsKeyFile: note('VIGIE_TLS_KEY_FILE', 'none', 'PEM private key of that certificate'),
  tlsClientCaFile: note(
    'VIGIE_TLS_CLIENT_CA_FILE',
    'none: no certificate is asked of callers',
    'PEM certificates of which one must have signed the certificate that every caller must show (mutual TLS)',
  ),
  trustedProxies: note(
    'VIGIE_TRUSTED_PROXIES',
    'none',
    'addresses and networks, by commas, whose PROXY protocol v2 says from where a call comes; that of others is not believed',
  ),
  trustList: note(
    'VIGIE_TRUST_LIST',
    'none: a demo issuer, marked as such',
    'trust list: a file, or an https URL (http on loopback only)',
  ),
  trustListKeyFile: note(
    'VIGIE_TRUST_LIST_KEY_FILE',
    'none: the list is not signed',
    'public JWK that must have signed the trust list (compact JWS)',
  ),
  trustListRefreshSeconds: integer(
    'VIGIE_TRUST_LIST_REFRESH_SECONDS',
    300,
    1,
    86_400,
    'time between refreshes of the trust list',
  ),
  trustListMaxAgeSeconds: integer(
    'VIGIE_TRUST_LIST_MAX_AGE_SECONDS',
    604_800,
    1,
    31_536_000,
    'hard age limit: a list not confirmed by its source for longer answers `keys_stale`',
  ),
  trustListMaxBytes: integer(
    'VIGIE_TRUST_LIST_MAX_BYTES',
    4 * 1024 * 1024,
    1_024,
    64 * 1024 * 1024,
    'a larger trust list is refused unread',
  ),
  trustListTimeoutMs: integer(
    'VIGIE_TRUST_LIST_TIMEOUT_MS',
    5_000,
    100,
    60_000,
    'deadline for fetching the trust list from a URL',
  ),
  dataDir: text('VIGIE_DATA_DIR', '.vigie', 'directory of the durable store and of the last known good list'),
  secretFile: note(
    'VIGIE_SECRET_FILE',
    'secret in the data directory, made at first start',
    "one line of 64 hexadecimal digits: the deployment's secret, under which cards are hashed",
  ),
  redisUrl: note('VIGIE_REDIS_URL', 'none: embedded store, one gateway', 'the log that many gateways share'),
  redisPasswordFile: note('VIGIE_REDIS_PASSWORD_FILE', 'none', "file with the password of the URL's user"),
  redisSentinelPasswordFile: note('VIGIE_REDIS_SENTINEL_PASSWORD_FILE', 'none', "the sentinels' password"),
  redisCaFile: note(
    'VIGIE_REDIS_CA_FILE',
    'those Node.js trusts',
    'PEM certificates that sign those of Redis',
  ),
  redisCertFile: note('VIGIE_REDIS_CERT_FILE', 'none', 'PEM certificate shown to Redis, with its key file'),
  redisKeyFile: note('VIGIE_REDIS_KEY_FILE', 'none', 'PEM private key of that certificate'),
  redisPrefix: text('VIGIE_REDIS_PREFIX', 'vigie', 'what keys begin with, in braces'),
  redisWaitReplicas: integer('VIGIE_REDIS_WAIT_REPLICAS', 0, 0, 10, 'replicas that must confirm a change'),
  redisWaitMs: integer('VIGIE_REDIS_WAIT_MS', 500, 1, 10_000, 'time for them, on top of the deadline'),
  redisTimeoutMs: integer('VIGIE_REDIS_TIMEOUT_MS', 500, 50, 30_000, 'deadline of a round trip to Redis'),
  replayEntries: integer(
    'VIGIE_REPLAY_ENTRIES',
    // 9,600 proofs a second with a nonce of the call: each lives for two windows, and takes its place 40 s longer.
    2_000_000,
    1_000,
    12_000_000,
    'holder proofs remembered at once, each for its life (up to two windows) and up to 40 s more; one beyond is `overloaded`, none is forgotten',
  ),
  replayTimeoutMs: integer(
    'VIGIE_REPLAY_TIMEOUT_MS',
    100,
    5,
    1_000,
    'deadline for asking Redis whether another gateway has seen a proof; then this gateway alone decides, and says so',
  ),
  engine: choice(
    'VIGIE_ENGINE',
    ['auto', 'native', 'openssl', 'noble'],
    'auto',
    'who computes signatures; one asked for and not to be had stops the start',
  ),
  kernel: choice(
    'VIGIE_KERNEL',
    ['auto', 'ifma', 'portable'],
    'auto',
    'which implementation the native engine runs; one that is named asks for the native engine too',
  ),
  keyCacheBytes: integer(
    'VIGIE_KEY_CACHE_BYTES',
    64 * 1024 * 1024,
    64 * 1024,
    16 * 1024 ** 3,
    'bound of the prepared issuer keys: of the process with the native engine, else of each worker',
  ),
  crossCheckOneIn: integer(
    'VIGIE_CROSS_CHECK_ONE_IN',
    4_096,
    0,
    1_000_000_000,
    'one verdict of the native engine in so many, and some refusals, is checked again by node:crypto; 0 is none',
  ),
  workers: {
    ...integer(
      'VIGIE_WORKERS',
      Math.min(availableParallelism(), 64),
      1,
      64,
      'data-plane threads; each verifies on a core of its own',
    ),
    defaultNote: 'one for each core',
  } satisfies IntegerSetting as IntegerSetting,
  workerHangMs: integer(
    'VIGIE_WORKER_HANG_MS',
    5_000,
    500,
    600_000,
    'a data-plane thread whose event loop has not turned for so long is replaced, its connections closed',
  ),
  workerHeapMb: integer(
    'VIGIE_WORKER_HEAP_MB',
    1_024,
    64,
    65_536,
    'JavaScript heap of a data-plane thread (MiB); one that needs more is replaced',
  ),
  logLevel: choice(
    'VIGIE_LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'lowest level logged (JSON lines on standard error)',
  ),
  accessLogOneIn: integer(
    'VIGIE_ACCESS_LOG_ONE_IN',
    0,
    0,
    1_000_000_000,
    'one request to the data listener in so many, drawn at random, and every one to admin, is logged (info); 0 is none',
  ),
  auditDays: integer(
    'VIGIE_AUDIT_DAYS',
    365,
    1,
    3_650,
    "files of the audit that are older than so many days are removed, keys of the verifications' pseudonyms first; the admin trail's last one stays",
  ),
  verificationAudit: choice(
    'VIGIE_VERIFICATION_AUDIT',
    ['off', 'on'],
    'off',
    'whether each verification is written down: when, by which caller, the reason, the card under a pseudonym of the day',
  ),
  massChangeLimit: integer(
    'VIGIE_MASS_CHANGE_LIMIT',
    10_000,
    1,
    1_000_000_000,
    'status changes in a sliding ten minutes above which a call is held for confirmation',
  ),
  idempotencyMaxKeys: integer(
    'VIGIE_IDEMPOTENCY_MAX_KEYS',
    1_000_000,
    1_000,
    100_000_000,
    'idempotency keys remembered for 24 hours; beyond, status changes answer 503',
  ),
  filterCapacity: integer(
    'VIGIE_FILTER_CAPACITY',
    10_000_000,
    1_000,
    1_000_000_000,
    'entries that the revocation filter is sized for',
  ),
  filterFalsePositiveRate: {
    env: 'VIGIE_FILTER_FALSE_POSITIVE_RATE',
    kind: 'ratio',
    default: 1e-6,
    min: 1e-12,
    max: 0.5,
    why: 'share of good cards that need the exact check when the filter is full',
  } satisfies RatioSetting as RatioSetting,
  filterExpiryGraceDays: {
    ...integer(
      'VIGIE_FILTER_EXPIRY_GRACE_DAYS',
      30,
      0,
      3_650,
      'so long after the `expiresAt` named for it a card may leave the filter, not the store; the same on all gateways',
    ),
    orNever: true,
  } satisfies IntegerSetting as IntegerSetting,
  statusMapBytes: integer(
    'VIGIE_STATUS_MAP_BYTES',
    16 * 1024 ** 3,
    1024 * 1024,
    4 * 1024 ** 4,
    'largest size of the status store; address space, not disk, until it is used',
  ),
  revocationMaxAgeSeconds: integer(
    'VIGIE_REVOCATION_MAX_AGE_SECONDS',
    86_400,
    LIMITS.revocationStaleMs / 1000,
    31_536_000,
    'revocation knowledge older than this answers `revocation_stale`',
  ),
  proofWindowSeconds: integer(
    'VIGIE_PROOF_WINDOW',
    60,
    1,
    600,
    'seconds that a holder proof may be old, or ahead, where the call names no nonce; it is remembered until it could not be shown any more, and for two windows where the call names one',
  ),
  allowAt: choice(
    'VIGIE_ALLOW_AT',
    ['false', 'true'],
    'false',
    'whether calls may ask about another instant by `at`: for lots and audits; else such calls get 403',
  ),
  batchSlice: integer(
    'VIGIE_BATCH_SLICE',
    256,
    1,
    10_000,
    'most batch items verified before the event loop turns; fewer, where they would take longer than some 2 ms',
  ),
  maxConnections: integer(
    'VIGIE_MAX_CONNECTIONS',
    20_000,
    1,
    1_000_000,
    'connections open at a worker; what comes beyond is closed unread',
  ),
  queueTargetMs: integer(
    'VIGIE_QUEUE_TARGET_MS',
    5,
    1,
    1_000,
    'single calls waiting longer than this for 50 ms (10 ms within a second of the end of the last overload), or batches ten times that for 50 ms, are an overload: the excess gets 503',
  ),
  batchQueueMs: integer(
    'VIGIE_BATCH_QUEUE_MS',
    250,
    10,
    60_000,
    'work in batches, in estimated time, that a worker queues at once to serve a burst; beyond, 503',
  ),
  batchWaitMs: integer(
    'VIGIE_BATCH_WAIT_MS',
    2_000,
    10,
    60_000,
    'a batch that could not be begun after so long gets 503',
  ),
  bodyIdleTimeoutMs: integer(
    'VIGIE_BODY_IDLE_TIMEOUT_MS',
    5_000,
    100,
    7_000,
    'a body of which nothing arrives for so long gets 408',
  ),
  bodyTimeoutMs: integer(
    'VIGIE_BODY_TIMEOUT_MS',
    60_000,
    100,
    600_000,
    'a body that is not whole after so long gets 408',
  ),
  bodyMemoryBytes: integer(
    'VIGIE_BODY_MEMORY_BYTES',
    256 * 1024 * 1024,
    LIMITS.batchBodyBytes,
    64 * 1024 ** 3,
    'bytes of bodies and of answers held at once by a worker, unfinished, under way or not taken; beyond, 503',
  ),
  answerTimeoutMs: integer(
    'VIGIE_ANSWER_TIMEOUT_MS',
    60_000,
    1_000,
    600_000,
    'an answer that its client has not read after so long is cut off; one of which nothing is read, after about 10 s',
  ),
  canary: choice(
    'VIGIE_CANARY',
    ['auto', 'on', 'off'],
    'auto',
    'verify credentials of known answers again and again; a wrong answer ends readiness; auto: not in demo mode',
  ),
  canaryIntervalMs: integer(
    'VIGIE_CANARY_INTERVAL_MS',
    5_000,
    100,
    600_000,
    'time between two rounds of the canary; each costs a worker three verifications',
  ),
  canaryDeadlineMs: integer(
    'VIGIE_CANARY_DEADLINE_MS',
    30_000,
    100,
    600_000,
    'a worker that has not answered the canary after so long hangs; one that is only overloaded must not',
  ),
  drainTimeoutMs: integer(
    'VIGIE_DRAIN_TIMEOUT_MS',
    10_000,
    100,
    600_000,
    'after SIGTERM the process has ended by then, its accepted requests answered',
  ),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly metricsHost: string;
  readonly metricsPort: number;
  readonly auth: 'none' | 'keys';
  readonly callersFile: string | undefined;
  readonly adminTokenFile: string | undefined;
  readonly adminCallersFile: string | undefined;
  readonly callersRefreshSeconds: number;
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  readonly tlsClientCaFile: string | undefined;
  /** Addresses and networks as they were written, by commas. */
  readonly trustedProxies: string | undefined;
  /** File or URL; `undefined` in demo mode. */
  readonly trustList: string | undefined;
  readonly trustListKeyFile: string | undefined;
  readonly trustListRefreshSeconds: number;
  readonly trustListMaxAgeSeconds: number;
  readonly trustListMaxBytes: number;
  readonly trustListTimeoutMs: number;
  readonly dataDir: string;
  readonly secretFile: string;
  /** `undefined`: the store is this gateway's alone. */
  readonly redisUrl: string | undefined;
  readonly redisPasswordFile: string | undefined;
  readonly redisSentinelPasswordFile: string | undefined;
  readonly redisCaFile: string | undefined;
  readonly redisCertFile: string | undefined;
  readonly redisKeyFile: string | undefined;
  readonly redisPrefix: string;
  readonly redisWaitReplicas: number;
  readonly redisWaitMs: number;
  readonly redisTimeoutMs: number;
  readonly replayEntries: number;
  readonly replayTimeoutMs: number;
  readonly engine: EngineChoice;
  readonly kernel: KernelChoice;
  readonly keyCacheBytes: number;
  readonly crossCheckOneIn: number;
  readonly workers: number;
  readonly workerHangMs: number;
  readonly workerHeapMb: number;
  readonly logLevel: LogLevel;
  readonly accessLogOneIn: number;
  readonly auditDays: number;
  readonly verificationAudit: boolean;
  readonly massChangeLimit: number;
  readonly idempotencyMaxKeys: number;
  readonly filterCapacity: number;
  readonly filterFalsePositiveRate: number;
  /** Infinity: never. */
  readonly filterExpiryGraceDays: number;
  readonly statusMapBytes: number;
  readonly revocationMaxAgeSeconds: number;
  readonly proofWindowSeconds: number;
  readonly allowAt: boolean;
  readonly batchSlice: number;
  readonly maxConnections: number;
  readonly queueTargetMs: number;
  readonly batchQueueMs: number;
  readonly batchWaitMs: number;
  readonly bodyIdleTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly bodyMemoryBytes: number;
  readonly answerTimeoutMs: number;
  readonly canary: 'auto' | 'on' | 'off';
  readonly canaryIntervalMs: number;
  readonly canaryDeadlineMs: number;
  readonly drainTimeoutMs: number;
  /** No trust list was named: the gateway makes a demo issuer and accepts its test credentials. */
  readonly demo: boolean;
  /** VIGIE_ names in the environment that are no settings: said at start, since a typo is a silent default. */
  readonly unknownNames: readonly string[];
  /** Those that sound like a secret's. */
  readonly secretNames: readonly string[];
}
