import { describe, expect, it } from 'vitest';
import { parseBatch, parseObject, parseSingle } from '../../src/ingress/envelope.ts';

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain';

const asBytes = (body: unknown): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
const single = (body: unknown, allowAt = false) => parseSingle(asBytes(body), allowAt);
const batch = (body: unknown, type = JSON_TYPE) => parseBatch(type, asBytes(body));

/** A refusal as `type: detail`; an accepted body as its requests. */
function outcome(envelope: ReturnType<typeof batch> | ReturnType<typeof single>): unknown {
  return envelope.ok ? envelope.value : `${envelope.problem.type}: ${envelope.problem.detail}`;
}

describe('the single envelope', () => {
  it.each([
    [{ credential: 'a.b.c' }, { credential: 'a.b.c' }],
    [{ credential: '' }, { credential: '' }],
    [
      { credential: 'a', audience: 'p' },
      { credential: 'a', audience: 'p' },
    ],
    [
      { audience: '', credential: 'a' },
      { credential: 'a', audience: '' },
    ],
    [{ credential: 'a', channel: 'qr' }, { credential: 'a' }],
    [{ credential: 'a', channel: 'nfc' }, { credential: 'a' }],
    [
      { credential: 'a', holderProof: 'p' },
      { credential: 'a', holderProof: 'p' },
    ],
    [
      { holderProof: '', credential: 'a', nonce: 'n' },
      { credential: 'a', holderProof: '', nonce: 'n' },
    ],
    [
      { credential: 'a', nonce: 'n', channel: 'remote', audience: 'p', holderProof: 'h' },
      { credential: 'a', nonce: 'n', audience: 'p', holderProof: 'h' },
    ],
    [
      { credential: 'a', channel: 'remote', nonce: 'n' },
      { credential: 'a', nonce: 'n' },
    ],
  ])('%j is accepted', (body, request) => {
    expect(outcome(single(body))).toEqual(request);
  });

  it.each([
    [{}, 'credential is missing'],
    [{ audience: 'p' }, 'credential is missing'],
    [{ credential: null }, 'credential must be a string'],
    [{ credential: 1 }, 'credential must be a string'],
    [{ credential: ['a.b.c'] }, 'credential must be a string'],
    [{ credential: { credential: 'a' } }, 'credential must be a string'],
    [{ credential: true }, 'credential must be a string'],
    [{ credential: 'a', audience: ['p'] }, 'audience must be a string'],
    [{ credential: 'a', audience: null }, 'audience must be a string'],
    [{ credential: 'a', channel: 1 }, 'channel must be a string'],
    [{ credential: 'a', channel: '' }, 'channel must be one of qr, nfc, remote'],
    [{ credential: 'a', channel: 'QR' }, 'channel must be one of qr, nfc, remote'],
    [{ credential: 'a', at: 1 }, 'at must be a string'],
    [{ credential: 'a', Credential: 'a' }, 'the body has an unknown member'],
    [{ credential: 'a', credentials: [] }, 'the body has an unknown member'],
    [{ credential: 'a', '': 'x' }, 'the body has an unknown member'],
    ['{"credential":"a","__proto__":{"audience":"p"}}', 'the body has an unknown member'],
    ['{"__proto__":{"credential":"a"}}', 'the body has an unknown member'],
    [{ credential: 'a', constructor: { prototype: {} } }, 'the body has an unknown member'],
    [{ credential: 'a', holderProof: null }, 'holderProof must be a string'],
    [{ credential: 'a', holderProof: ['p'] }, 'holderProof must be a string'],
    [{ credential: 'a', nonce: 1 }, 'nonce must be a string'],
    [{ holderProof: 'p' }, 'credential is missing'],
    [{ credential: 'a', channel: 'remote' }, 'channel remote needs a nonce'],
    [{ credential: 'a', nonce: '' }, 'nonce must not be empty'],
    [{ credential: 'a', nonce: '', channel: 'remote' }, 'nonce must not be empty'],
    [{ credential: 'a', holderProof: 'p', channel: 'remote' }, 'channel remote needs a nonce'],
    ['[]', 'the body must be a JSON object'],
    ['"a.b.c"', 'the body must be a JSON object'],
    ['null', 'the body must be a JSON object'],
    ['', 'the body is refused: not JSON'],
    ['{', 'the body is refused: not JSON'],
    ['{"credential":NaN}', 'the body is refused: not JSON'],
    ['\ufeff{"credential":"a"}', 'the body is refused: not JSON'],
    ['{"credential":"a","credential":"b"}', 'the body is refused: duplicate member name'],
    ['{"credential":"a","\\u0063redential":"b"}', 'the body is refused: duplicate member name'],
    ['{"credential":"a","x":{"y":1,"y":1}}', 'the body is refused: duplicate member name'],
    [`{"credential":${'['.repeat(40)}${']'.repeat(40)}}`, 'the body is refused: nested too deep'],
    [Buffer.from('{"credential":"\xff"}', 'latin1'), 'the body is refused: not well-formed UTF-8'],
    [Buffer.from('{"credential":"a"}', 'utf16le'), 'the body is refused: not JSON'],
  ])('%j is refused', (body, detail) => {
    expect(outcome(single(body))).toBe(`bad-envelope: ${detail}`);
  });

  it('`at` is refused as a thing this caller may not choose, unless callers may', () => {
    const at = '2026-06-01T02:00:00.5+02:00';
    expect(outcome(single({ credential: 'a', at }))).toBe('forbidden: the caller may not choose at');
    expect(outcome(single({ credential: 'a', at: 'now' }))).toBe('forbidden: the caller may not choose at');
    const atMs = Date.UTC(2026, 5, 1, 0, 0, 0, 500);
    expect(outcome(single({ credential: 'a', at }, true))).toEqual({ credential: 'a', atMs });
    expect(outcome(single({ credential: 'a', at: 'now' }, true))).toBe(
      'bad-envelope: at must be an instant by RFC 3339',
    );
  });

  it('no refusal repeats anything of the body', () => {
    const secret = 'CANARY';
    const bodies = [
      { [secret]: secret },
      { credential: [secret] },
      { credential: secret, channel: secret },
      { credential: secret, audience: { [secret]: secret } },
      { credential: secret, holderProof: { [secret]: secret } },
      { credential: secret, at: secret },
      secret,
      `{"${secret}":1,"${secret}":2}`,
    ];
    for (const body of bodies) {
      const refused = single(body);
      expect(refused.ok).toBe(false);
      expect(JSON.stringify(refused)).not.toContain(secret);
    }
  });
});

describe('the batch envelope', () => {
  it('takes texts and objects, in the order sent', () => {
    expect(outcome(batch({ credentials: ['b', { credential: 'a' }, '', 'b'] }))).toEqual([
      { credential: 'b' },
      { credential: 'a' },
      { credential: '' },
      { credential: 'b' },
    ]);
    expect(outcome(batch({ credentials: [] }))).toEqual([]);
  });

  it('takes proofs beside credentials, in either order', () => {
    const credentials = [{ credential: 'a', holderProof: 'p' }, 'b', { holderProof: '', credential: 'c' }];
    expect(outcome(batch({ credentials }))).toEqual([
      { credential: 'a', holderProof: 'p' },
      { credential: 'b' },
      { credential: 'c', holderProof: '' },
    ]);
  });

  it.each([
    [{}, 'credentials must be an array'],
    [{ credentials: 'a' }, 'credentials must be an array'],
    [{ credentials: { 0: 'a', length: 1 } }, 'credentials must be an array'],
    [{ credentials: null }, 'credentials must be an array'],
    [{ credentials: [], audience: 'p' }, 'the body has a member other than credentials'],
    [{ credential: 'a' }, 'the body has a member other than credentials'],
    ['{"credentials":[],"__proto__":{}}', 'the body has a member other than credentials'],
    ['{"__proto__":{"credentials":[]}}', 'the body has a member other than credentials'],
    [{ credentials: ['a', 1] }, 'credentials[1] must be a string or an object'],
    [{ credentials: ['a', null] }, 'credentials[1] must be a string or an object'],
    [{ credentials: [['a']] }, 'credentials[0] must be a string or an object'],
    [{ credentials: ['a', {}] }, 'credentials[1].credential is missing'],
    [{ credentials: [{ credential: 1 }] }, 'credentials[0].credential must be a string'],
    [{ credentials: [{ credential: 'a', audience: 'p' }] }, 'credentials[0] has an unknown member'],
    [{ credentials: [{ credential: 'a', nonce: 'n' }] }, 'credentials[0] has an unknown member'],
    [
      { credentials: ['a', { credential: 'a', holderProof: 1 }] },
      'credentials[1].holderProof must be a string',
    ],
    [{ credentials: [{ holderProof: 'p' }] }, 'credentials[0].credential is missing'],
    [
      { credentials: [{ credential: 'a', holderProof: 'p', channel: 'qr' }] },
      'credentials[0] has an unknown member',
    ],
    ['{"credentials":[],"credentials":["a"]}', 'the body is refused: duplicate member name'],
    ['{"credentials":[{"credential":"a","credential":"b"}]}', 'the body is refused: duplicate member name'],
    ['["a"]', 'the body must be a JSON object'],
  ])('%j is refused', (body, detail) => {
    expect(outcome(batch(body))).toBe(`bad-envelope: ${detail}`);
  });

  it('a body of more values than a batch may have is not parsed', () => {
    const names = Array.from({ length: 101_000 }, (_, index) => `"n${index}":0`);
    expect(outcome(batch(`{${names.join(',')}}`))).toBe('bad-envelope: the body is refused: too many values');
    const most = { credential: 'a', holderProof: 'b' };
    expect(batch({ credentials: Array(10_000).fill(most) }).ok).toBe(true);
  });

  it('holds 10,000 items and not 10,001', () => {
    const items = (count: number): string[] => Array.from({ length: count }, () => 'a');
    expect(outcome(batch({ credentials: items(10_000) }))).toHaveLength(10_000);
    expect(outcome(batch({ credentials: items(10_001) }))).toBe(
      'too-many-items: at most 10000 items a batch',
    );
    // Too many is said before anything is said about one of them.
    expect(outcome(batch({ credentials: [1, ...items(10_000)] }))).toBe(
      'too-many-items: at most 10000 items a batch',
    );
  });
});

describe('text lines', () => {
  const lines = (body: string): unknown => {
    const requests = outcome(batch(body, TEXT_TYPE));
    return Array.isArray(requests) ? requests.map(({ credential }) => credential) : requests;
  };

  it.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['a\nb\r\nc', ['a', 'b', 'c']],
    ['\n', ['']],
    ['\na\n', ['', 'a']],
    ['a\n\nb\n', ['a', '', 'b']],
    ['a\r\n\r\nb', ['a', '', 'b']],
    [' a \n', [' a ']],
    ['a\rb\n', ['a\rb']],
    ['a\r\r\n', ['a\r']],
    ['a\u0000\n', ['a\u0000']],
    ['{"credentials":["a"]}', ['{"credentials":["a"]}']],
  ])('%j is %j', (body, credentials) => {
    expect(lines(body)).toEqual(credentials);
  });

  it.each(['\n', '\r\n'])('hold 10,000 lines and not 10,001, lines ending in %j', (end) => {
    expect(lines(`a${end}`.repeat(10_000))).toHaveLength(10_000);
    expect(lines(`${`a${end}`.repeat(9_999)}a`)).toHaveLength(10_000);
    expect(lines(`${`a${end}`.repeat(10_000)}a`)).toBe('too-many-items: at most 10000 items a batch');
    expect(lines(`a${end}`.repeat(10_001))).toBe('too-many-items: at most 10000 items a batch');
    expect(lines(end.repeat((16 * 1024 * 1024) / 4))).toBe('too-many-items: at most 10000 items a batch');
  });
});

describe('any object body', () => {
  it('keeps __proto__ an ordinary name', () => {
    const parsed = parseObject(Buffer.from('{"__proto__":{"a":1}}'));
    if (!parsed.ok) throw new Error(parsed.problem.detail);
    expect(Object.keys(parsed.value)).toEqual(['__proto__']);
    expect(parsed.value.a).toBeUndefined();
  });
});
