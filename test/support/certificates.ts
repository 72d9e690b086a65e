/** Authorities and certificates for tests, made by openssl for the run; their names say that they are synthetic. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  file(name: string): string;
  /** `NAME.pem` and `NAME.key`, both good for this machine's own name and address. */
  authority(name: string, signs: readonly string[]): void;
  /** Signed by the authority, and good until then. */
  until(authority: string, name: string, endsAt: Date): void;
  /** What a client of the gateway shows, and whom it trusts. */
  client(name?: string): { ca: Buffer; cert?: Buffer; key?: Buffer };
  dispose(): void;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Callers trust `authority`, so it must have been made. */
export function createCertificates(dir = mkdtempSync(join(tmpdir(), 'vigie-tls-'))): Certificates {
  const file = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  };
  const subject = (of: string): string[] => ['-subj', `/CN=${of} (synthetic)`];
  const request = (name: string): void =>
    openssl('req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject(name));
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  writeFileSync(file('index'), '');
  writeFileSync(file('serial'), '4000\n');
  writeFileSync(
    file('ca.cnf'),
    '[ca]\ndefault_ca=here\n[here]\ndatabase=index\nserial=serial\nnew_certs_dir=.\npolicy=any\ndefault_md=sha256\n' +
      'unique_subject=no\n[any]\ncommonName=supplied\n',
  );
  return {
    file,
    authority: (name, signs) => {
      const to = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
      openssl('req', '-x509', ...NEW_KEY, ...to, '-days', '2', ...subject(name));
      for (const one of signs) {
        request(one);
        const by = ['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial', '-days', '2'];
        openssl('x509', '-req', '-in', `${one}.csr`, ...by, '-out', `${one}.pem`, '-extfile', 'names');
      }
    },
    until: (authority, name, endsAt) => {
      request(name);
      const by = ['-config', 'ca.cnf', '-cert', `${authority}.pem`, '-keyfile', `${authority}.key`];
      const dates = ['-startdate', stamp(new Date(Date.now() - 3_600_000)), '-enddate', stamp(endsAt)];
      openssl('ca', '-batch', '-notext', ...by, ...dates, '-in', `${name}.csr`, '-out', `${name}.pem`);
    },
    client: (name) => ({
      ca: readFileSync(file('authority.pem')),
      ...(name !== undefined && {
        cert: readFileSync(file(`${name}.pem`)),
        key: readFileSync(file(`${name}.key`)),
      }),
    }),
    dispose: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** YYYYMMDDHHMMSSZ, as openssl takes it. */
function stamp(date: Date): string {
  return `${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
}
