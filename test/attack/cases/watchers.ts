/** Attacks 93 to 96: what metrics, logs, errors and verdicts tell those who watch them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, changeStatus, reasonOf, scrape, verify } from '../../support/call.ts';
import { logLines, startGateway } from '../../support/gateway.ts';
import { head } from '../../support/raw-http.ts';
import { credential, ISS, tampered } from '../../support/synthetic-issuer.ts';
import { claims } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK, withTarget } from '../attack-target.ts';
import { DROPPED, HOST, onTheWire } from '../wire.ts';

/** A thousand calls leave no connection behind. */
const CLOSE = { connection: 'close' } as const;

const SERIES: AttackCase = {
  number: 93,
  name: 'label cardinality',
  sent: '500 paths, methods, kids, issuers, ids and keys of their own',
  expected: 'no series more',
  run: async ({ gateway, good }: AttackTarget): Promise<string> => {
    const strange = async (index: number): Promise<void> => {
      await call(`${gateway.data}/v1/${PAYLOAD_MARK}-${index}`, {
        method: `M${index + 1}`,
        headers: CLOSE,
      });
      const payload = claims({ iss: `https://${index}.example` });
      await call(`${gateway.data}/v1/verify`, {
        body: { credential: credential({ payload, header: { kid: `${index}` } }) },
        headers: {
          'x-request-id': `${index}`,
          authorization: `Bearer ${index}`,
          'user-agent': `agent ${index}`,
          ...CLOSE,
        },
      });
    };
    // Once before the first look, so that each kind of answer has its series.
    await strange(-1);
    await reasonOf(gateway.data, good);
    const before = (await scrape(gateway.metrics)).size;
    for (let from = 0; from < 500; from += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => strange(from + index)));
    }
    const more = (await scrape(gateway.metrics)).size - before;
    return more === 0 ? 'no series more' : `${more} series more`;
  },
};

const LOG: AttackCase = {
  number: 94,
  name: 'log injection',
  sent: 'ids, paths and bodies with line ends, quotes, escapes',
  expected: 'every line is one of ours',
  run: async ({ gateway }: AttackTarget): Promise<string> => {
    const forged = `{"level":"fatal","msg":"${PAYLOAD_MARK}"}`;
    const body = `\n${forged}\n`;
    await call(`${gateway.data}/v1/verify`, { body, headers: { 'x-request-id': forged } });
    await call(`${gateway.data}/${encodeURIComponent(body)}`);
    await call(`${gateway.admin}/admin/v1/status-query`, { body: { iss: forged, jti: `\n${forged}` } });
    await call(`${gateway.admin}/admin/v1/status-query`, { body, headers: { 'x-request-id': forged } });
    // Throws where a line is no JSON.
    const strange = logLines(gateway).filter(
      ({ service, level }) => service !== 'vigie' || level === 'fatal',
    );
    const isColoured = gateway.stderr().includes('\u001b');
    return strange.length === 0 && !isColoured
      ? 'every line is one of ours'
      : `${strange.length} lines are not ours`;
  },
};

const ESCAPES = `X-Request-Id: \u001b[31m${PAYLOAD_MARK}\u001b[0m`;
const COLOURS = onTheWire({
  number: 94,
  name: 'escape sequences in the request id',
  sent: JSON.stringify(ESCAPES).slice(1, -1),
  expected: DROPPED,
  bytes: () => head('GET /healthz HTTP/1.1', HOST, ESCAPES),
});

const SECRET = 'S3CRET-0815';

/** A gateway that refuses to start says why: not what its settings hold. */
function refusedStart(name: string, env: Record<string, string>): AttackCase {
  return {
    number: 95,
    name: `secrets in errors: ${name}`,
    sent: Object.keys(env).join(', '),
    expected: 'exit code 2, no secret',
    isBeside: true,
    run: async () => {
      const told = await startGateway({ env }).then(
        async (gateway) => {
          await gateway.dispose();
          return 'it started';
        },
        (error: Error) => error.message,
      );
      const exit = /ended with (\S+) before/.exec(told)?.[1];
      return `exit code ${exit}, ${told.includes(SECRET) ? 'a' : 'no'} secret`;
    },
  };
}

const SECRETS: AttackCases = [
  refusedStart('a password in the address of Redis', {
    VIGIE_REDIS_URL: `redis://user:${SECRET}@127.0.0.1:1/x?y`,
  }),
  refusedStart('a password in the address of the trust list', {
    VIGIE_TRUST_LIST: `http://user:${SECRET}@list.example/`,
  }),
  refusedStart('a setting that is wrong beside a secret', {
    VIGIE_PORT: 'x',
    VIGIE_REDIS_URL: `redis://:${SECRET}@127.0.0.1:1`,
  }),
  {
    number: 95,
    name: 'secrets in errors: tokens that are refused, and one that is not',
    sent: 'a wrong token, the right one with a wrong body',
    expected: '401, 400, no secret',
    isBeside: true,
    run: () => {
      const token = SECRET.padEnd(40, '0');
      return withSecretFile(token, (file) =>
        withTarget({ env: { VIGIE_ADMIN_TOKEN_FILE: file } }, async ({ gateway }) => {
          const ask = (bearer: string) =>
            call(`${gateway.admin}/admin/v1/status-changes`, {
              body: `{"${PAYLOAD_MARK}":1}`,
              headers: { authorization: `Bearer ${bearer}` },
            });
          const answers = [await ask(`${token}x`), await ask(token)];
          const told = answers.map(({ text, headers }) => text + JSON.stringify([...headers])).join();
          const isTold = (told + gateway.stderr()).includes(SECRET);
          return `${answers.map(({ status }) => status).join(', ')}, ${isTold ? 'a' : 'no'} secret`;
        }),
      );
    },
  },
];

async function withSecretFile(secret: string, use: (file: string) => Promise<string>): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-attack-'));
  try {
    const file = join(dir, 'token');
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    return await use(file);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Answers about a card that is revoked and about one that nobody has heard of, to who has no card of theirs. */
function guess(name: string, reason: string, of: (jti: string) => string): AttackCase {
  return {
    number: 96,
    name: `guessing whether a card exists: ${name}`,
    sent: 'of a revoked card and of one that nobody knows',
    expected: `alike: ${reason}`,
    run: async ({ gateway }) => {
      const known = `${PAYLOAD_MARK}-known`;
      await changeStatus(gateway.admin, { iss: ISS, jti: known, status: 'revoked' });
      const answers: string[] = [];
      for (const jti of [known, `${PAYLOAD_MARK}-never`]) {
        const { checkedAt: _, revocation: __, ...answer } = await verify(gateway.data, of(jti));
        answers.push(JSON.stringify(answer).replaceAll(jti, 'jti'));
      }
      const [first = '{}', second] = answers;
      return `${first === second ? 'alike' : 'different'}: ${JSON.parse(first).reason}`;
    },
  };
}

const GUESSES: AttackCases = [
  guess('a forgery', 'bad_signature', (jti) => tampered(credential({ payload: claims({ jti }) }))),
  guess('an unknown key', 'unknown_key', (jti) =>
    credential({ payload: claims({ jti }), header: { kid: 'mine' } }),
  ),
  guess('alg none', 'alg_not_allowed', (jti) =>
    credential({ payload: claims({ jti }), header: { alg: 'none' } }),
  ),
];

export const WATCHERS: AttackCases = [SERIES, LOG, COLOURS, ...SECRETS, ...GUESSES];
