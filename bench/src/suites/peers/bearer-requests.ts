/** Requests as a proxying gateway gets them: a GET with the credential in its Authorization header (RFC 6750). */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { RequestsFile } from '../../load/load-spec.ts';

const REQUESTS_A_WRITE = 1_000;
export const BEARER_PATH = '/v1/verify';

/** The credentials of the corpus in order; all have the same length, and so have the requests. */
export function writeBearerRequests(credentialsFile: string, path: string): RequestsFile {
  const credentials = readFileSync(credentialsFile, 'latin1').trimEnd().split('\n');
  const file = openSync(path, 'w', 0o600);
  for (let start = 0; start < credentials.length; start += REQUESTS_A_WRITE)
    writeSync(
      file,
      credentials
        .slice(start, start + REQUESTS_A_WRITE)
        .map(requestOf)
        .join(''),
    );
  closeSync(file);
  const bytes = requestOf(credentials[0] as string).length;
  if (credentials.some((credential) => requestOf(credential).length !== bytes))
    throw new Error('requests of the same kind differ in length');
  return { path, bytes, isSentOnce: false };
}

function requestOf(credential: string): string {
  return `GET ${BEARER_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${credential}\r\n\r\n`;
}
