/**
 * A strict reader of what a client sends on one connection: RFC 9112's grammar, and the framing guard's rules of
 * SECURITY.md on top of it. It shares nothing with the gateway: where the two read differently, somebody in front of the
 * gateway might as well.
 */

export interface ModelRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export interface ModelConnection {
  /** Requests framed as they must be and whole, up to the first that is not. */
  readonly requests: readonly ModelRequest[];
  /** What stands behind them: nothing; the beginning of a request; or what must be refused, and nothing after it read. */
  readonly rest: 'nothing' | 'unfinished' | 'refused';
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9112 section 3.2.1, as far as a route could have it: a path and a query without blanks. */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\/[\x21-\xff]*) HTTP\/1\.1$/;
/** RFC 9110 section 5.5: visible characters, blanks and what is beyond ASCII; DEL ends nothing, and may be kept. */
const VALUE = /^[\t\x20-\xff]*$/;
/** Of these a second one could be read by somebody else. */
const ONCE = [
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'authorization',
  'idempotency-key',
];

const BLANKS = /^[\t ]+|[\t ]+$/g;
/** A reader that takes bytes beyond ASCII for blanks would read another value of these. */
const DOUBTFUL = /^[\x80-\xff]|[\x80-\xff]$/;

/** PROXY protocol v2 (section 2.2): the signature, a byte whose first half is the version, and lengths. */
const PROXY_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const PROXY_HEAD_BYTES = 16;
/** Of the longest addresses, two paths of sockets: what is longer has extensions, which the parser does not take. */
const MOST_ADDRESS_BYTES = 216;

/**
 * Bytes of a PROXY header at the start; 0: none stands there. The parser takes one before each request, whatever command and
 * addresses are in it; whom the gateway believes it is another matter (VIGIE_TRUSTED_PROXIES).
 */
function proxyBytes(bytes: Buffer): number | 'unfinished' | 'refused' {
  if (bytes.length < 4 || !bytes.subarray(0, 4).equals(PROXY_SIGNATURE.subarray(0, 4))) return 0;
  if (bytes.length < PROXY_HEAD_BYTES) return 'unfinished';
  const isSecondVersion = (bytes.readUInt8(12) & 0xf0) === 0x20;
  if (!bytes.subarray(0, 12).equals(PROXY_SIGNATURE) || !isSecondVersion) return 'refused';
  const length = bytes.readUInt16BE(14);
  if (length > MOST_ADDRESS_BYTES) return 'refused';
  return bytes.length < PROXY_HEAD_BYTES + length ? 'unfinished' : PROXY_HEAD_BYTES + length;
}

export function modelConnection(bytes: Buffer): ModelConnection {
  const requests: ModelRequest[] = [];
  let at = 0;
  while (at < bytes.length) {
    const proxied = proxyBytes(bytes.subarray(at));
    if (typeof proxied !== 'number') return { requests, rest: proxied };
    at += proxied;
    if (at === bytes.length && proxied > 0) return { requests, rest: 'unfinished' };
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return { requests, rest: 'unfinished' };
    const head = headOf(bytes.toString('latin1', at, end));
    if (head === undefined) return { requests, rest: 'refused' };
    const bodyAt = end + 4;
    const bodyEnd = bodyAt + head.length;
    if (bodyEnd > bytes.length) return { requests, rest: 'unfinished' };
    requests.push({ method: head.method, path: head.path, body: bytes.toString('latin1', bodyAt, bodyEnd) });
    at = bodyEnd;
  }
  return { requests, rest: 'nothing' };
}

/** `undefined`: not framed as it must be. */
function headOf(text: string): { method: string; path: string; length: number } | undefined {
  const [first = '', ...lines] = text.split('\r\n');
  const [, method, target] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined || target === undefined) return undefined;
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).replace(BLANKS, '');
    if (colon < 0 || !TOKEN.test(name) || !VALUE.test(value)) return undefined;
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  if (fields.has('transfer-encoding') || !fields.has('host')) return undefined;
  if (ONCE.some((name) => (fields.get(name)?.length ?? 0) > 1)) return undefined;
  if (ONCE.some((name) => DOUBTFUL.test(fields.get(name)?.[0] ?? ''))) return undefined;
  const [declared] = fields.get('content-length') ?? [];
  if (declared !== undefined && !/^[0-9]{1,15}$/.test(declared)) return undefined;
  if (declared === undefined && method === 'POST') return undefined;
  const length = Number(declared ?? 0);
  if (length > 0 && (method === 'GET' || method === 'HEAD')) return undefined;
  return { method, path: target.split('?')[0] as string, length };
}
