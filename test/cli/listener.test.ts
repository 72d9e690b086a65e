import { describe, expect, it } from 'vitest';
import { adminListener, dataListener } from '../../src/cli/listener.ts';

describe('which listener is called', () => {
  it.each([
    [{}, 'http://127.0.0.1:8080'],
    [{ VIGIE_HOST: '', VIGIE_PORT: '' }, 'http://127.0.0.1:8080'],
    [{ VIGIE_HOST: 'gateway.internal', VIGIE_PORT: '81' }, 'http://gateway.internal:81'],
    [{ VIGIE_HOST: '0.0.0.0' }, 'http://127.0.0.1:8080'],
    [{ VIGIE_HOST: '::' }, 'http://[::1]:8080'],
    [{ VIGIE_HOST: '::1' }, 'http://[::1]:8080'],
  ])('is read from %o', (environment, baseUrl) => {
    expect(dataListener(environment)).toEqual({ ok: true, baseUrl });
  });

  it('has a name and a port of its own for admin', () => {
    expect(adminListener({ VIGIE_PORT: '1', VIGIE_ADMIN_PORT: '2' })).toEqual({
      ok: true,
      baseUrl: 'http://127.0.0.1:2',
    });
  });

  it.each(['0', '65536', '-1', '8o', '1e3'])('is not told by the port %j', (port) => {
    expect(dataListener({ VIGIE_PORT: port })).toEqual({
      ok: false,
      fault: 'VIGIE_PORT names no port that can be called: give --url',
    });
  });

  it.each([
    ['https://gateway.example/ignored?x', 'https://gateway.example'],
    ['http://127.0.0.1:9', 'http://127.0.0.1:9'],
  ])('is the origin of --url %s, whatever the environment says', (url, baseUrl) => {
    expect(dataListener({ VIGIE_PORT: 'x' }, url)).toEqual({ ok: true, baseUrl });
  });

  it.each(['', 'localhost:8080', 'file:///etc/passwd', 'http://user:secret@host'])(
    'is not --url %j',
    (url) => {
      const listener = dataListener({}, url);
      expect(listener.ok).toBe(false);
      expect(JSON.stringify(listener)).not.toContain('secret');
    },
  );
});
