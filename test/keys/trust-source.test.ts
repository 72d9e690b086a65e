import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseTrustSource, readTrustSource } from '../../src/keys/trust-source.ts';
import { serve, temporaryDirectory } from './trust-fixtures.ts';

const LIMITS = { maxBytes: 1000, deadlineMs: 5_000 };

function read(setting: string, limits = LIMITS, signal?: AbortSignal) {
  const parsed = parseTrustSource(setting);
  if (!parsed.ok) throw new Error(parsed.error);
  return readTrustSource(parsed.source, limits, signal);
}

describe('the setting', () => {
  test.each([
    ['list.json', 'file', resolve('list.json')],
    ['a:b.json', 'file', resolve('a:b.json')],
    ['file:///etc/list.json', 'file', '/etc/list.json'],
    ['https://trust.example/list?token=s3cret#part', 'url', 'https://trust.example/list?token=s3cret'],
    ['http://127.9.9.9/l', 'url', 'http://127.9.9.9/l'],
    ['http://127.1/l', 'url', 'http://127.0.0.1/l'],
    ['http://[::1]:8/l', 'url', 'http://[::1]:8/l'],
    ['http://LOCALHOST/l', 'url', 'http://localhost/l'],
  ])('%s', (setting, kind, location) => {
    expect(parseTrustSource(setting)).toMatchObject({ ok: true, source: { kind, location } });
  });

  test('a query shows neither in the name nor in the identity', () => {
    const parsed = parseTrustSource('https://trust.example/list?token=s3cret');
    expect(parsed).toMatchObject({ source: { name: 'https://trust.example/list' } });
    expect(parsed.ok && parsed.source.identity).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    ['', 'empty'],
    ['http://trust.example/l', 'must be a file, an https URL, or an http URL of a loopback address'],
    ['http://127.0.0.1.example/l', 'must be a file, an https URL, or an http URL of a loopback address'],
    ['http://localhost.example/l', 'must be a file, an https URL, or an http URL of a loopback address'],
    ['ftp://trust.example/l', 'must be a file, an https URL, or an http URL of a loopback address'],
    ['https://user:s3cret@trust.example/l', 'must hold no user name or password'],
    ['https://', 'not a URL'],
    ['file://host/l', 'not the URL of a local file'],
  ])('%s is refused', (setting, error) => {
    expect(parseTrustSource(setting)).toEqual({ ok: false, error });
  });
});

describe('a file', () => {
  test('is read up to the cap, not beyond', async () => {
    const path = join(temporaryDirectory(), 'list');
    writeFileSync(path, 'x'.repeat(1000));
    expect(await read(path)).toMatchObject({ ok: true, bytes: Buffer.from('x'.repeat(1000)) });
    writeFileSync(path, 'x'.repeat(1001));
    expect(await read(path)).toEqual({ ok: false, reason: 'too_large', fault: 'larger than 1000 bytes' });
    writeFileSync(path, '');
    expect(await read(path)).toMatchObject({ ok: true, bytes: Buffer.alloc(0) });
  });

  test('absent, a directory, a device, a FIFO that nobody writes', async () => {
    const directory = temporaryDirectory();
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(await read(join(directory, 'none'))).toEqual({
      ok: false,
      reason: 'unreachable',
      fault: 'no such file',
    });
    for (const path of [directory, '/dev/zero', fifo]) {
      expect(await read(path)).toEqual({ ok: false, reason: 'unreachable', fault: 'not a regular file' });
    }
  });
});

describe('a URL', () => {
  test('is asked without credentials', async () => {
    let headers: NodeJS.Dict<string | string[]> = {};
    const { url } = await serve((request, response) => {
      headers = request.headers;
      response.end('list');
    });
    expect(await read(`${url}?q=1`)).toMatchObject({ ok: true, bytes: Buffer.from('list') });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
    expect(headers['accept-encoding']).toBe('identity');
  });

  test.each([201, 204, 206, 304, 401, 404, 500, 503])('status %i', async (status) => {
    const { url } = await serve((_, response) => response.writeHead(status).end());
    const fault = status === 304 ? 'redirect refused' : `HTTP status ${status}`;
    expect(await read(url)).toEqual({ ok: false, reason: 'unreachable', fault });
  });

  test.each([301, 302, 303, 307, 308])('redirect %i is not followed', async (status) => {
    const target = await serve((_, response) => response.end('list'));
    const { url } = await serve((_, response) => response.writeHead(status, { location: target.url }).end());
    expect(await read(url)).toEqual({ ok: false, reason: 'unreachable', fault: 'redirect refused' });
    expect(target.requests()).toBe(0);
  });

  test('the cap holds for a declared and for an undeclared length', async () => {
    const { url } = await serve((request, response) => {
      const length = Number(new URL(request.url ?? '', 'http://x').searchParams.get('n'));
      if (request.url?.includes('declared')) response.setHeader('content-length', length);
      response.write('x'.repeat(10));
      response.end('x'.repeat(length - 10));
    });
    for (const how of ['declared', 'chunked']) {
      expect(await read(`${url}?n=1000&${how}`)).toMatchObject({ ok: true });
      expect(await read(`${url}?n=1001&${how}`)).toEqual({
        ok: false,
        reason: 'too_large',
        fault: 'larger than 1000 bytes',
      });
    }
  });

  test.each([
    ['at the cap', 200, 'too_large'],
    ['at once when its length is declared', 200, 'too_large'],
    ['at once when the status is refused', 500, 'unreachable'],
  ])('an endless body ends %s, and the connection with it', async (when, status, reason) => {
    let closed: () => void = () => {};
    const connectionClosed = new Promise<void>((done) => {
      closed = done;
    });
    const { url } = await serve((_, response) => {
      if (when.includes('declared')) response.setHeader('content-length', 1_000_000_000);
      response.writeHead(status);
      const pour = () => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', pour);
      };
      response.once('close', closed);
      pour();
    });
    expect(await read(url, { ...LIMITS, maxBytes: 1_000_000 })).toMatchObject({ reason });
    await connectionClosed;
  });

  test('nothing is inflated', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100)));
    });
    expect(await read(url)).toEqual({ ok: false, reason: 'unreachable', fault: 'content encoding refused' });
  });

  test('the deadline covers the head and each part of the body', async () => {
    const silent = await serve(() => {});
    const dripping = await serve((_, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    });
    const limits = { maxBytes: 1_000_000, deadlineMs: 150 };
    for (const { url } of [silent, dripping]) {
      const fault = 'no answer within 150 ms';
      expect(await read(url, limits)).toEqual({ ok: false, reason: 'unreachable', fault });
    }
  });

  test('a connection refused, reset, or closed in mid-body', async () => {
    expect(await read('http://127.0.0.1:1/l?token=s3cret')).toMatchObject({ reason: 'unreachable' });
    const reset = await serve((request) => request.socket.destroy());
    expect(await read(reset.url)).toMatchObject({ reason: 'unreachable' });
    const torn = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setTimeout(() => request.socket.destroy(), 20);
    });
    const outcome = await read(`${torn.url}?token=s3cret`);
    expect(outcome).toMatchObject({ ok: false, reason: 'unreachable' });
    expect(JSON.stringify(outcome)).not.toContain('s3cret');
  });

  test('stopping ends a hanging exchange', async () => {
    const stop = new AbortController();
    const { url } = await serve(() => stop.abort());
    expect(await read(url, LIMITS, stop.signal)).toMatchObject({ reason: 'stopped' });
    expect(await read(url, LIMITS, AbortSignal.abort())).toMatchObject({ reason: 'stopped' });
  });
});
