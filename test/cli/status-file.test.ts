import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readStatusFile } from '../../src/cli/status-file.ts';

const ISS = 'https://issuer.invalid';
const read = (text: string) => readStatusFile(Buffer.from(text, 'utf8'));
const line = (members: object) => JSON.stringify({ iss: ISS, jti: 'card-1', status: 'revoked', ...members });
const NOTHING = 'nothing was applied';

describe('an NDJSON file', () => {
  it('gives its changes in order, and its digest', () => {
    const text = `${line({ why: 'lost', expiresAt: 1_900_000_000 })}\n${line({ jti: 'card-2', status: 'active' })}\n`;
    expect(read(text)).toEqual({
      ok: true,
      changes: [
        { iss: ISS, jti: 'card-1', status: 'revoked', why: 'lost', expiresAt: 1_900_000_000 },
        { iss: ISS, jti: 'card-2', status: 'active' },
      ],
      digest: createHash('sha256').update(text).digest('hex'),
    });
  });

  it('may end without a line feed, or lines in CRLF', () => {
    expect(read(`${line({})}\r\n${line({ jti: 'card-2' })}`)).toMatchObject({ ok: true, changes: [{}, {}] });
  });

  it.each([
    ['broken JSON', '{"iss":', 'not JSON'],
    ['an empty line', '', 'not JSON'],
    ['no object', '[]', 'not a JSON object'],
    ['a member twice', `{"iss":"a","iss":"${ISS}","jti":"x","status":"revoked"}`, 'duplicate member name'],
    ['a member that is unknown', line({ note: 'x' }), 'a member other than iss, jti, status, why, expiresAt'],
    ['no jti', line({ jti: undefined }), 'jti must be a non-empty string'],
    ['a jti that is a number', line({ jti: 7 }), 'jti must be a non-empty string'],
    ['an empty iss', line({ iss: '' }), 'iss must be a non-empty string'],
    ['another status', line({ status: 'REVOKED' }), 'status must be one of active, suspended, revoked'],
    [
      'another reason',
      line({ why: 'because' }),
      'why must be one of lost, stolen, compromised, superseded, issued_in_error, deceased, other',
    ],
    ['a date in text', line({ expiresAt: '2027' }), 'expiresAt must be a number of seconds since the epoch'],
    ['a date below zero', line({ expiresAt: -1 }), 'expiresAt must be a number of seconds since the epoch'],
  ])('is refused for %s, by the line’s number', (_what, broken, fault) => {
    expect(read(`${line({})}\n${broken}\n${line({})}`)).toEqual({
      ok: false,
      fault: `line 2: ${fault}; ${NOTHING}`,
    });
  });

  it('is refused when two lines contradict each other, but may repeat itself', () => {
    const other = line({ jti: 'card-2' });
    expect(read(`${line({})}\n${other}\n${line({ status: 'active' })}`)).toEqual({
      ok: false,
      fault: `line 3: contradicts line 1 about the same card; ${NOTHING}`,
    });
    expect(read(`${line({})}\n${line({})}`)).toMatchObject({ ok: true });
    // The same characters, cut elsewhere, are two cards.
    const cut = `${line({ iss: 'a', jti: 'bc' })}\n${line({ iss: 'ab', jti: 'c', status: 'active' })}`;
    expect(read(cut)).toMatchObject({ ok: true });
  });

  it('never quotes a line, whatever stands in it', () => {
    const result = read(`${line({})}\n{"jti":"secret-card"`);
    expect(JSON.stringify(result)).not.toContain('secret-card');
  });
});

describe('a CSV file', () => {
  it('takes its columns in any order, and an empty optional field for none', () => {
    const text = `status,jti,iss,expiresAt,why\nrevoked,card-1,${ISS},1900000000,lost\nsuspended,card-2,${ISS},,\n`;
    expect(read(text)).toMatchObject({
      ok: true,
      changes: [
        { iss: ISS, jti: 'card-1', status: 'revoked', why: 'lost', expiresAt: 1_900_000_000 },
        { iss: ISS, jti: 'card-2', status: 'suspended' },
      ],
    });
  });

  it('may come from a spreadsheet: a byte order mark, semicolons, CRLF', () => {
    expect(read(`\ufeffiss;jti;status\r\n${ISS};card-1;revoked\r\n`)).toMatchObject({
      ok: true,
      changes: [{ iss: ISS, jti: 'card-1', status: 'revoked' }],
    });
  });

  it.each([
    [
      'a header with another column',
      'iss,jti,status,name',
      '',
      1,
      'the header may name iss, jti, status, why, expiresAt only',
    ],
    ['a header without status', 'iss,jti', '', 1, 'the header lacks status'],
    ['a header that repeats a column', 'iss,jti,status,jti', '', 1, 'the header names a column twice'],
    ['too few fields', 'iss,jti,status', 'a,b', 3, '2 fields where the header has 3'],
    ['an empty line', 'iss,jti,status', '', 3, '1 fields where the header has 3'],
    ['an empty jti', 'iss,jti,status', 'a,,revoked', 3, 'jti must be a non-empty string'],
  ])('is refused for %s', (_what, header, row, at, fault) => {
    expect(read(`${header}\na,x,revoked\n${row}\na,y,revoked`)).toEqual({
      ok: false,
      fault: `line ${at}: ${fault}; ${NOTHING}`,
    });
  });

  it.each(['1e3', '0x10', '-1', '1.5', ' 1', 'tomorrow'])('is refused for the date %j', (date) => {
    expect(read(`iss,jti,status,expiresAt\na,b,revoked,${date}`)).toMatchObject({
      fault: `line 2: expiresAt must be a number of seconds since the epoch; ${NOTHING}`,
    });
  });
});

describe('any file', () => {
  it.each(['', '\n', 'iss,jti,status\n'])('without a change is refused: %j', (text) => {
    expect(read(text).ok).toBe(false);
  });

  it('must be UTF-8', () => {
    expect(readStatusFile(Buffer.from([0xff, 0xfe, 0x7b]))).toEqual({
      ok: false,
      fault: 'the file is not UTF-8',
    });
  });
});
