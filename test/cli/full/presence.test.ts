/** Cards bound to a holder, from keygen to the counter, against a real gateway. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNELS, gatewayClient } from '../../../src/client/gateway-client.ts';
import { type RunningGateway, runVigie, startGateway } from '../run-vigie.ts';

const ISS = 'https://issuer.vigie-test.invalid';
const PHARMACY = 'https://pharmacy.vigie-test.invalid';
const ELSEWHERE = 'https://elsewhere.vigie-test.invalid';

let directory: string;
let gateway: RunningGateway;
const path = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  for (const name of ['holder', 'stranger']) await runVigie(['keygen', '--out', path(name)]);
  const made = await runVigie(['keygen', '--out', path('issuer'), '--iss', ISS]);
  const list = JSON.parse(made.stdout);
  const policy = { holderProof: 'required', audiences: [PHARMACY], rights: 'check' };
  list.issuers[0] = { ...list.issuers[0], ...policy };
  writeFileSync(path('trust-list.json'), JSON.stringify(list));
  gateway = await startGateway([
    ...['--trust-list', path('trust-list.json'), '--data-dir', path('data'), '--workers', '1'],
    ...['--allow-at', 'true'],
  ]);
});
afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  rmSync(directory, { recursive: true, force: true });
});

const OPEN = ['--rights-from', '2020-01-01', '--rights-until', '2099-12-31'];

async function issue(more: readonly string[] = OPEN): Promise<string> {
  const key = ['--key', path('issuer'), '--iss', ISS, '--holder-key', path('holder')];
  const { stdout, stderr } = await runVigie(['issue', ...key, ...more]);
  expect(stderr).toBe('');
  return stdout.trimEnd();
}
async function present(card: string, more: readonly string[] = [], by = 'holder'): Promise<string> {
  const args = ['present', '--holder-key', path(by), '--audience', PHARMACY, ...more];
  return (await runVigie(args, { stdin: card })).stdout.trimEnd();
}
const verify = (shown: string, more: readonly string[] = []) =>
  runVigie(['verify', '--url', gateway.dataUrl, ...more], { stdin: shown });
/** Exit code and reason. */
async function verdictOf(shown: string, more: readonly string[] = []) {
  const { code, stdout } = await verify(shown, [...more, '--json']);
  return [code, JSON.parse(stdout).reason];
}

describe('a card that its holder shows', () => {
  it('is valid once; photographed, it is refused as replayed', async () => {
    const shown = await present(await issue());
    const first = await verify(shown);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(/^✓ valid \(ok\): /);
    expect(first.stdout).toContain('holder      present, as the phone proved\n');
    const second = await verify(shown, ['--lang', 'fr']);
    expect(second.code).toBe(1);
    expect(second.stdout).toMatch(
      /^✗ non valide \(replayed\)\u00a0: Cette présentation de la carte a déjà servi\./,
    );
  });

  it('is worth nothing at another pharmacy, nor by another key, nor as a copy without proof', async () => {
    const card = await issue();
    const elsewhere = await verify(await present(card), ['--audience', ELSEWHERE, '--lang', 'fr']);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stdout).toMatch(/^✗ non valide \(holder_proof_invalid\)\u00a0: La preuve de présence /);
    expect(await verdictOf(await present(card, [], 'stranger'))).toEqual([1, 'holder_proof_invalid']);
    expect(await verdictOf(card)).toEqual([1, 'holder_proof_missing']);
    // None of these has used the card up.
    expect(await verdictOf(await present(card))).toEqual([0, 'ok']);
  });

  it('needs a proof of now, or the nonce that the pharmacy gave', async () => {
    const card = await issue();
    const longAgo = ['--issued-at', String(Math.floor(Date.now() / 1000) - 3_600)];
    expect(await verdictOf(await present(card, longAgo))).toEqual([1, 'holder_proof_invalid']);
    const given = await present(card, [...longAgo, '--nonce', 'n-1', '--channel', 'remote']);
    expect(await verdictOf(given, ['--nonce', 'n-2'])).toEqual([1, 'holder_proof_invalid']);
    expect(await verdictOf(given)).toEqual([0, 'ok']);
  });

  it('may come by each channel that the client names; from afar only with a nonce', async () => {
    const card = await issue();
    for (const channel of CHANNELS) {
      const shown = await present(card, ['--channel', channel, '--nonce', randomUUID()]);
      expect(await verdictOf(shown)).toEqual([0, 'ok']);
    }
    const { code, stderr } = await verify(await present(card), ['--channel', 'remote']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^vigie: refused \(400\): .*nonce/);
  });

  it('can be judged by another instant without being used up', async () => {
    const shown = await present(await issue());
    const at = ['--at', new Date().toISOString()];
    expect(await verdictOf(shown, at)).toEqual([0, 'ok']);
    expect(await verdictOf(shown, at)).toEqual([0, 'ok']);
    expect(await verdictOf(shown, ['--at', '2019-12-31T12:00:00Z'])).toEqual([1, 'not_yet_valid']);
    expect(await verdictOf(shown)).toEqual([0, 'ok']);
    expect(await verdictOf(shown)).toEqual([1, 'replayed']);
  });
});

describe('a batch that present prints', () => {
  it('is taken as it is, and each proof once', async () => {
    const cards = await issue([...OPEN, '--count', '50']);
    const body = await present(cards, ['--batch']);
    const { credentials } = JSON.parse(body);
    const client = gatewayClient({ baseUrl: gateway.dataUrl });
    const reasonsOf = async () => {
      const outcome = await client.verifyBatch(credentials);
      return outcome.kind === 'answer' ? new Set(outcome.value.map(({ reason }) => reason)) : outcome;
    };
    expect(await reasonsOf()).toEqual(new Set(['ok']));
    expect(await reasonsOf()).toEqual(new Set(['replayed']));
  });
});

describe('rights', () => {
  it('are open on the days that the card says, and closed without them', async () => {
    const ended = await issue(['--rights-from', '2020-01-01', '--rights-until', '2020-12-31']);
    const { code, stdout } = await verify(await present(ended), ['--lang', 'fr']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ non valide \(rights_not_open\)/);
    expect(stdout).toContain("Au comptoir\u00a0: vérifier les droits de l'assuré.\n");
    expect(await verdictOf(await present(await issue([])))).toEqual([1, 'rights_not_open']);
  });

  it('that changed make all older cards of the holder revoked, and leave the new one', async () => {
    const sub = randomUUID();
    const nowSeconds = Math.floor(Date.now() / 1000);
    const issuedAt = (iat: number) => issue([...OPEN, '--sub', sub, '--claim', `iat=${iat}`]);
    const [older, newer] = [await issuedAt(nowSeconds - 100), await issuedAt(nowSeconds - 50)];
    expect(await verdictOf(await present(older))).toEqual([0, 'ok']);

    const admin = (command: string, args: readonly string[]) =>
      runVigie(['status', command, '--url', gateway.adminUrl, '--iss', ISS, '--sub', sub, ...args]);
    const none = await admin('show', []);
    expect(none.stdout).toBe('No credentials of the holder are superseded.\n');
    const done = await admin('supersede', ['--issued-before', String(nowSeconds - 50)]);
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(done.stdout).toMatch(
      /^All credentials of the holder issued before .* are now revoked \(sequence \d+\)\.\n$/,
    );
    expect(JSON.parse((await admin('show', ['--json'])).stdout)).toMatchObject({
      status: 'superseded',
      issuedBefore: nowSeconds - 50,
    });

    expect(await verdictOf(await present(older))).toEqual([1, 'revoked']);
    expect(await verdictOf(await present(newer))).toEqual([0, 'ok']);
  });
});

it('a test card is refused outside demo mode', async () => {
  expect(await verdictOf(await present(await issue([...OPEN, '--test'])))).toEqual([1, 'test_credential']);
});
