/** Attacks 93 to 96: what metrics, logs, errors and verdicts tell those who watch them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, changeStatus, scrape, type VerdictAnswer } from '../../support/call.ts';
import { bearer } from '../../support/callers.ts';
import { FASTEST_ENGINE, logLines, startGateway } from '../../support/gateway.ts';
import { head } from '../../support/raw-http.ts';
import { credential, ISS, tampered } from '../../support/synthetic-issuer.ts';
import { ask, claims, reasonFor } from '../asked.ts';
import type { AttackCase, AttackCases } from '../attack-case.ts';
import { type AttackTarget, PAYLOAD_MARK, withTarget } from '../attack-target.ts';
import { describedAnswer } from '../described.ts';
import { OTHER, openGuarded } from '../guarded.ts';
import { DROPPED, HOST, onTheWire } from '../wire.ts';

/** What is different in each of a thousand calls, none of which leaves a connection behind. */
async function strange(target: AttackTarget, index: number, known?: string): Promise<void> {
  const lines = [HOST, `X-Request-Id: ${index}`, `User-Agent: agent ${index}`];
  await target.send(head(`M${index} /v1/${PAYLOAD_MARK}-${index} HTTP/1.1`, ...lines));
  const payload = claims({ iss: `https://${index}.example` });
  const text = credential({ payload, header: { kid: `${index}` } });
  for (const authorization of [`Bearer ${index}`, ...(known === undefined ? [] : [known])]) {
    await ask(
      target,
      { credential: text },
      { lines: [...lines.slice(1), `Authorization: ${authorization}`] },
    );
  }
}

/** How many series there are more once strangers came, each unlike any other. */
async function seriesMore(target: AttackTarget, count: number, known?: string): Promise<string> {
  // Once before the first look, so that each kind of answer has its series, that look's too.
  await strange(target, 0, known);
  await reasonFor(target, target.good);
  await series(target);
  const before = await series(target);
  for (let from = 1; from <= count; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => strange(target, from + index, known)));
  }
  const more = [...(await series(target))].filter((name) => !before.has(name));
  return more.length === 0 ? 'no series more' : `${more.length} series more: ${more.slice(0, 3).join(' ')}`;
}

/** But for Node.js's own, which come with the first work of their kind. */
async function series({ gateway }: AttackTarget): Promise<ReadonlySet<string>> {
  return new Set(
    [...(await scrape(gateway.metrics)).keys()].filter((name) => !name.startsWith('vigie_nodejs_')),
  );
}

const SERIES: AttackCases = [
  {
    number: 93,
    name: 'label cardinality',
    sent: '500 paths, methods, kids, issuers, ids and keys of their own',
    expected: 'no series more',
    run: (target) => seriesMore(target, 500),
  },
  {
    number: 93,
    name: "label cardinality, of callers' names",
    sent: '200 made-up keys, and as many calls with a good one',
    expected: 'no series more, the caller is counted by its name',
    beside: 'own-gateway',
    run: async () => {
      const target = await openGuarded();
      try {
        const got = await seriesMore(target, 200, bearer(OTHER).authorization);
        const calls = `vigie_caller_requests_total{caller="${OTHER.name}"}`;
        const counted = (await scrape(target.gateway.metrics)).get(calls);
        await target.stillHonest();
        return `${got}, the caller is counted ${counted === 201 ? 'by its name' : `${counted} times`}`;
      } finally {
        await target.dispose();
      }
    },
  },
];

const LOG: AttackCase = {
  number: 94,
  name: 'log injection',
  sent: 'ids, paths and bodies with line ends, quotes, escapes',
  expected: 'every line is one of ours',
  run: async (target: AttackTarget): Promise<string> => {
    const { gateway } = target;
    const forged = `{"level":"fatal","msg":"${PAYLOAD_MARK}"}`;
    const body = `\n${forged}\n`;
    await ask(target, body, { lines: [`X-Request-Id: ${forged}`] });
    await target.send(head(`GET /${encodeURIComponent(body)} HTTP/1.1`, HOST));
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
    beside: 'own-gateway',
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
    beside: 'own-gateway',
    run: () => {
      const token = SECRET.padEnd(40, '0');
      return withSecretFile(token, (file) =>
        withTarget({ env: { ...FASTEST_ENGINE, VIGIE_ADMIN_TOKEN_FILE: file } }, async ({ gateway }) => {
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
    run: async (target) => {
      const known = `${PAYLOAD_MARK}-known`;
      await changeStatus(target.gateway.admin, { iss: ISS, jti: known, status: 'revoked' });
      const told = (jti: string) => toldOf(target, of(jti), jti);
      for (let round = 0; round < MOST_ROUNDS; round++) {
        const [first, never, again] = [
          await told(known),
          await told(`${PAYLOAD_MARK}-never`),
          await told(known),
        ];
        // What others change meanwhile (seq) says nothing of either card.
        if (first.text !== again.text) continue;
        return `${first.text === never.text ? 'alike' : 'different'}: ${first.reason}`;
      }
      return 'never the same answer twice';
    },
  };
}

const MOST_ROUNDS = 50;

/** An answer but for what time alone changes, and for the card's own name. */
async function toldOf(target: AttackTarget, text: string, jti: string) {
  const came = await ask(target, { credential: text });
  if (came.status !== 200) throw new Error(`answered ${describedAnswer(came)}`);
  const { checkedAt: _, ...answer } = JSON.parse(came.body) as VerdictAnswer;
  const revocation = { ...answer.revocation, ageMs: 0 };
  return {
    reason: answer.reason,
    text: JSON.stringify({ ...answer, revocation }).replaceAll(jti, 'jti'),
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

export const WATCHERS: AttackCases = [...SERIES, LOG, COLOURS, ...SECRETS, ...GUESSES];
