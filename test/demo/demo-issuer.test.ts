import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeJws } from '../../src/credential/jws.ts';
import { DEMO_ISS, demoCredential, ensureDemoIssuer } from '../../src/demo/demo-issuer.ts';
import { issuerKeyFault } from '../../src/keys/key-admission.ts';
import { parseTrustList } from '../../src/keys/trust-list-schema.ts';

const NOW_MS = 1_795_000_000_400;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function publishedList(trustListFile: string) {
  const parsed = parseTrustList(readFileSync(trustListFile));
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed.list;
}

describe('ensureDemoIssuer', () => {
  it('publishes a trust list that a gateway admits, with its own key alone', () => {
    const { iss, trustListFile, signingKey } = ensureDemoIssuer(dataDir);
    const list = publishedList(trustListFile);
    expect(list.version).toBe(1);
    expect(list.issuers.map((issuer) => issuer.iss)).toEqual([DEMO_ISS]);
    expect(iss).toBe(DEMO_ISS);
    const key = list.issuers[0]?.keys[0];
    expect(key?.kid).toBe(signingKey.kid);
    expect(issuerKeyFault(key?.publicKey as Uint8Array)).toBeUndefined();
  });

  it('is the same at every start', () => {
    const first = ensureDemoIssuer(dataDir);
    const second = ensureDemoIssuer(dataDir);
    expect(second.signingKey.publicJwk).toEqual(first.signingKey.publicJwk);
    expect(publishedList(second.trustListFile).version).toBe(1);
  });

  it('lets nobody else read it', () => {
    ensureDemoIssuer(join(dataDir, 'deep'));
    const demo = join(dataDir, 'deep', 'demo');
    expect(statSync(demo).mode & 0o777).toBe(0o700);
    expect(readdirSync(demo).sort()).toEqual(['demo-issuer-private-jwk.json', 'trust-list.json']);
    for (const name of readdirSync(demo)) expect(statSync(join(demo, name)).mode & 0o777).toBe(0o600);
  });

  it('publishes a higher version when its key was lost and made anew', () => {
    const first = ensureDemoIssuer(dataDir);
    rmSync(join(dataDir, 'demo', 'demo-issuer-private-jwk.json'));
    const second = ensureDemoIssuer(dataDir);
    expect(second.signingKey.publicJwk.x).not.toBe(first.signingKey.publicJwk.x);
    expect(publishedList(second.trustListFile).version).toBe(2);
  });

  it('repairs a trust list that was damaged', () => {
    const { trustListFile } = ensureDemoIssuer(dataDir);
    writeFileSync(trustListFile, '{"version":');
    expect(publishedList(ensureDemoIssuer(dataDir).trustListFile).issuers).toHaveLength(1);
  });

  it('stops rather than go on with a damaged key', () => {
    ensureDemoIssuer(dataDir);
    writeFileSync(join(dataDir, 'demo', 'demo-issuer-private-jwk.json'), '{}');
    expect(() => ensureDemoIssuer(dataDir)).toThrow('demo issuer: ');
  });
});

describe('demoCredential', () => {
  it('says that it is a test, and is good for a year', () => {
    const issuer = ensureDemoIssuer(dataDir);
    const decoded = decodeJws(demoCredential(issuer, { nowMs: NOW_MS, jti: 'card-1' }), 65_536);
    expect(decoded.ok && decoded.credential.claims).toMatchObject({
      iss: DEMO_ISS,
      jti: 'card-1',
      iat: 1_795_000_000,
      exp: 1_795_000_000 + 31_536_000,
      test: true,
    });
  });

  it('gives each credential its own jti, and takes other claims', () => {
    const issuer = ensureDemoIssuer(dataDir);
    const jtis = [1, 2].map(() => {
      const decoded = decodeJws(demoCredential(issuer, { nowMs: NOW_MS, claims: { regime: 'x' } }), 65_536);
      expect(decoded.ok && decoded.credential.claims.regime).toBe('x');
      return decoded.ok && decoded.credential.claims.jti;
    });
    expect(new Set(jtis).size).toBe(2);
  });
});
