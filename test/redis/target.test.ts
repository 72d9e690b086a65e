/** What `VIGIE_REDIS_URL` and the files beside it may say, and that no error repeats a secret. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconnectionMsOf } from '../../src/redis/connection-options.ts';
import { type RedisFiles, readRedisCredentials } from '../../src/redis/credentials.ts';
import { faultOf } from '../../src/redis/fault.ts';
import { retryDelayMs } from '../../src/redis/retry-delay.ts';
import { parseRedisUrl } from '../../src/redis/target.ts';
import { BACKOFF_CAP_MS } from '../../src/revocation/shared/backoff.ts';
import { SETTLE_MS, settleMsFor } from '../../src/revocation/shared/settling.ts';
import { targetOf } from '../revocation/shared/redis/log-fixture.ts';
import { makeCertificate, type TlsFiles } from '../support/redis.ts';

describe('VIGIE_REDIS_URL', () => {
  const server = { kind: 'server', tls: false, username: undefined, database: 0 };
  const sentinel = { kind: 'sentinel', tls: false, username: undefined };
  const cluster = { kind: 'cluster', tls: false, username: undefined };
  const at = (host: string, port = 6379) => ({ host, port });

  it.each([
    ['redis://localhost', { ...server, address: at('localhost') }],
    ['redis://localhost/', { ...server, address: at('localhost') }],
    ['redis://10.0.0.1:7000/3', { ...server, address: at('10.0.0.1', 7000), database: 3 }],
    [
      'rediss://vigie@redis.example:6380',
      { ...server, tls: true, username: 'vigie', address: at('redis.example', 6380) },
    ],
    ['redis://a%40b@[::1]:6379', { ...server, username: 'a@b', address: at('::1') }],
    ['redis+sentinel://s1/main', { ...sentinel, sentinels: [at('s1', 26379)], primaryName: 'main' }],
    [
      'rediss+sentinel://vigie@s1:1,[fe80::1],s-3:65535/my.primary',
      {
        ...sentinel,
        tls: true,
        username: 'vigie',
        sentinels: [at('s1', 1), at('fe80::1', 26379), at('s-3', 65535)],
        primaryName: 'my.primary',
      },
    ],
    ['redis+cluster://n1', { ...cluster, seeds: [at('n1')] }],
    [
      'rediss+cluster://vigie@n1:1,[fe80::1],n-3.example:65535/',
      {
        ...cluster,
        tls: true,
        username: 'vigie',
        seeds: [at('n1', 1), at('fe80::1'), at('n-3.example', 65535)],
      },
    ],
  ])('%s', (url, target) => {
    expect(targetOf(url)).toEqual(target);
  });

  const FORMS =
    'must be redis://, redis+sentinel:// or redis+cluster://, or these with rediss, without ? or #';
  const NODES = "must name some of the cluster's nodes as host[:port], separated by commas";
  const PASSWORD = 'must not hold a password: name its file in VIGIE_REDIS_PASSWORD_FILE';
  it.each([
    ['', FORMS],
    ['CANARY', FORMS],
    ['http://CANARY', FORMS],
    ['redis:CANARY', FORMS],
    ['redis://h?password=CANARY', FORMS],
    ['redis://h#CANARY', FORMS],
    ['redis://user:CANARY@h', PASSWORD],
    ['redis://:CANARY@h', PASSWORD],
    ['redis://user:CAN@ARY@h', PASSWORD],
    ['redis+sentinel://:CANARY@h/main', PASSWORD],
    ['redis://%E0%A4@CANARY', 'has a user name that is not percent-encoded UTF-8'],
    ['redis://a%20CANARY@h', 'has a user name that no Redis user can have'],
    ['redis://@CANARY', 'has a user name that no Redis user can have'],
    ['redis://', 'must name one host[:port]'],
    ['redis://CANARY,b', 'must name one host[:port]'],
    ['redis://CANARY:0', 'must name one host[:port]'],
    ['redis://CANARY:65536', 'must name one host[:port]'],
    ['redis://h/CANARY', 'must end after the host, or in the number of a database'],
    ['redis://h/99999', 'must end after the host, or in the number of a database'],
    ['redis+sentinel://CANARY,/main', 'must name the sentinels as host[:port], separated by commas'],
    ['redis+sentinel://CANARY', "must end in the primary's name, as Sentinel knows it"],
    ['redis+sentinel://h/CANARY/1', "must end in the primary's name, as Sentinel knows it"],
    ['redis+cluster://:CANARY@h', PASSWORD],
    ['redis+cluster://CANARY,', NODES],
    ['redis+cluster://CANARY:0', NODES],
    [`redis+cluster://${'CANARY,'.repeat(16)}h`, NODES],
    ['redis+cluster://h/CANARY', 'must end after the hosts: a cluster has no numbered databases'],
    ['redis+sharded://CANARY', FORMS],
  ])('%s is refused without being repeated', (url, why) => {
    expect(parseRedisUrl(url)).toEqual({ ok: false, error: `VIGIE_REDIS_URL ${why}` });
  });
});

describe('the files of a connection', () => {
  let dir: string;
  let tls: TlsFiles;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
    tls = makeCertificate(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const NONE: RedisFiles = {
    passwordFile: undefined,
    sentinelPasswordFile: undefined,
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
  };
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };

  const fifo = () => {
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    return join(dir, 'fifo');
  };

  it('are read whole; a password without its end of line', () => {
    const passwordFile = file('password', 'pass phrase é\r\n');
    const sentinelPasswordFile = file('other', 'x');
    const files = {
      passwordFile,
      sentinelPasswordFile,
      caFile: tls.ca,
      certFile: tls.cert,
      keyFile: tls.key,
    };
    const pem = (text: string) => expect.stringContaining(`-----BEGIN ${text}-----`);
    expect(readRedisCredentials(files, true)).toEqual({
      ok: true,
      credentials: {
        password: 'pass phrase é',
        sentinelPassword: 'x',
        ca: pem('CERTIFICATE'),
        cert: pem('CERTIFICATE'),
        key: pem('PRIVATE KEY'),
      },
    });
    expect(readRedisCredentials(NONE, false)).toMatchObject({
      ok: true,
      credentials: { password: undefined },
    });
  });

  it.each([
    ['empty', () => file('bad', ''), 'is not one line of text'],
    ['two lines', () => file('bad', 'CANARY\nCANARY\n'), 'is not one line of text'],
    ['too long', () => file('bad', 'CANARY'.repeat(700)), 'is longer than 4096 bytes'],
    ['no UTF-8', () => file('bad', Buffer.from([0x43, 0xff])), 'is not UTF-8'],
    ['a directory', () => dir, 'is not a regular file'],
    ['a FIFO', () => fifo(), 'is not a regular file'],
  ])('a password file that is %s is refused', (_what, make, why) => {
    const path = make();
    const result = readRedisCredentials({ ...NONE, passwordFile: path }, false);
    expect(result).toEqual({ ok: false, errors: [`VIGIE_REDIS_PASSWORD_FILE: ${path} ${why}`] });
  });

  it('one that is not there is refused without its name, which may be the password', () => {
    const result = readRedisCredentials({ ...NONE, passwordFile: 'CANARY/4711.x' }, false);
    expect(result).toEqual({
      ok: false,
      errors: ['VIGIE_REDIS_PASSWORD_FILE: the file that is named cannot be read (ENOENT)'],
    });
  });

  it('TLS files that are none, half, or for a connection without TLS are refused', () => {
    const junk = file('junk', 'CANARY');
    const errors = (files: Partial<RedisFiles>, withTls = true) => {
      const result = readRedisCredentials({ ...NONE, ...files }, withTls);
      return result.ok ? [] : result.errors;
    };
    expect(errors({ caFile: junk })).toEqual([`VIGIE_REDIS_CA_FILE: ${junk} holds no PEM certificate`]);
    expect(errors({ certFile: tls.cert, keyFile: junk })).toEqual([
      `VIGIE_REDIS_KEY_FILE: ${junk} holds no PEM private key without a passphrase`,
    ]);
    expect(errors({ certFile: tls.cert })).toEqual([
      'VIGIE_REDIS_CERT_FILE and VIGIE_REDIS_KEY_FILE are set both or not at all',
    ]);
    expect(errors({ caFile: tls.ca }, false)).toEqual([
      'VIGIE_REDIS_CA_FILE, _CERT_FILE and _KEY_FILE need a VIGIE_REDIS_URL of rediss',
    ]);
  });
});

describe('errors', () => {
  const reply = (message: string) => faultOf(Object.assign(new Error(message), { name: 'ReplyError' }));
  const failed = (message: string, code?: string) => faultOf(Object.assign(new Error(message), { code }));

  it('become codes, and nothing of their messages', () => {
    expect(reply("NOPERM User CANARY has no permissions to run the 'xadd' command")).toEqual({
      ok: false,
      fault: 'refused',
      code: 'NOPERM',
    });
    expect(reply('ERR unknown CANARY')).toMatchObject({ fault: 'refused', code: 'ERR' });
    expect(reply('CANARY_without_form of a code')).toMatchObject({ fault: 'refused', code: 'ERR' });
    expect(reply('WRONGTYPE Operation against a key')).toMatchObject({
      fault: 'malformed',
      code: 'WRONGTYPE',
    });
    // As Redis 6.2 wraps what happens within a script.
    const wrapped = (text: string) =>
      reply(`ERR Error running script (call to f_0a): @user_script:5: -${text}`);
    expect(wrapped('OOM command not allowed')).toMatchObject({ fault: 'refused', code: 'OOM' });
    expect(wrapped('WRONGTYPE Operation against a key')).toMatchObject({ fault: 'malformed' });
    expect(failed('connect ECONNREFUSED CANARY', 'ECONNREFUSED')).toMatchObject({ code: 'ECONNREFUSED' });
    expect(failed('Command timed out')).toMatchObject({ fault: 'unreachable', code: 'TIMEOUT' });
    expect(failed('CANARY')).toMatchObject({ fault: 'unreachable', code: 'CLOSED' });
  });
});

describe('reconnecting', () => {
  it('is jittered over the whole delay, which grows to half a second', () => {
    const range = (attempt: number) => [
      retryDelayMs(attempt, () => 0),
      retryDelayMs(attempt, () => 0.999_999),
    ];
    expect(range(1)).toEqual([10, 109]);
    expect(range(3)).toEqual([10, 409]);
    expect(range(5)).toEqual([10, 499]);
    expect(range(5_000)).toEqual([10, 499]);
  });

  it('counts an attempt that hangs, and in a cluster that the nodes are asked before', () => {
    const timeoutMs = 500;
    const of = (url: string) => reconnectionMsOf({ target: targetOf(url), timeoutMs });
    const [server, cluster] = [of('redis://h'), of('redis+cluster://h')];
    expect([server, cluster]).toEqual([1_000, 1_250]);
    expect([settleMsFor(timeoutMs, server), settleMsFor(timeoutMs, cluster)]).toEqual([SETTLE_MS, 3_250]);
    // With a longer deadline asking takes longer, and so does settling.
    const slow = reconnectionMsOf({ target: targetOf('redis+cluster://h'), timeoutMs: 2_000 });
    expect(settleMsFor(2_000, slow)).toBe(slow + BACKOFF_CAP_MS + 2_000 + 500);
  });
});
