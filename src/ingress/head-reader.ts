/**
 * Heads of requests, read once and recognised from then on. Walking the headers in JavaScript costs more than a
 * signature does, and callers send the same ones with every request; so a head that differs from one that was read
 * before only in the length of its body, in its request id, in its authorization and in headers that nobody looks at is
 * that one. No authorization is kept: it is read anew each time, for whoever judges it.
 */
import type { HttpRequest } from 'uWebSockets.js';
import type { NativeAddon } from '../native/addon.ts';
import { FOUND_HEAD, HEAD_FAULTS, HEAD_PLACES } from '../native/addon-requests.ts';
import { type RequestHead, readHead, type SeenRequest } from './request-head.ts';
import type { LandingRoom } from './route.ts';

export interface HeadReader {
  /** Valid until the next is read. `landing`: where its body may be put, if all of it was read with the head. */
  read(req: HttpRequest, landing: LandingRoom | undefined): SeenRequest;
}

/**
 * The strict reader alone. `addon`: native code that may look where the parser's own means do not reach, if there is any;
 * without, what HEAD_FAULTS names is neither seen nor refused.
 */
export function createStrictHeadReader(addon: NativeAddon | undefined): HeadReader {
  if (addon?.createHeadTable() === undefined) return { read: (req) => readHead(req) };
  return { read: (req) => readHead(req, HEAD_FAULTS[addon.headFault(req)]) };
}

const { hasRequestId, hasAuthorization, hasLanded, lengthUnit } = FOUND_HEAD;

/** There is no room: no body lands. */
const NOWHERE: LandingRoom = { bytes: new Uint8Array(0), at: () => 0, mostBytes: 0 };

/** One head in so many that was recognised is read by the strict reader too. */
const CHECK_ONE_IN = 4096;
/** One head in so many that was not is kept: those that come often are soon there, those that change cost little. */
const LEARN_ONE_IN = 8;

/**
 * `disagreed` is told, once, that a head was not what it was taken for, or that the native code could not read it: from
 * then on all are read strictly.
 */
export function createHeadReader(addon: NativeAddon, disagreed: () => void): HeadReader {
  const table = addon.createHeadTable();
  if (table === undefined) return createStrictHeadReader(undefined);
  const heads = new Array<RequestHead | undefined>(HEAD_PLACES).fill(undefined);
  const seen: { -readonly [name in keyof SeenRequest]: SeenRequest[name] } = {
    head: undefined as never,
    contentLength: 0,
    requestId: undefined,
    authorization: undefined,
    hasLanded: false,
  };
  let isTrusted = true;
  let recognised = 0;
  let strange = 0;

  const distrust = (): void => {
    isTrusted = false;
    disagreed();
  };
  const find = (req: HttpRequest, landing: LandingRoom): number => {
    try {
      return addon.findHead(table, req, landing.bytes, landing.at(), landing.mostBytes);
    } catch {
      distrust();
      return -1;
    }
  };
  const readStrictly = (req: HttpRequest): SeenRequest => {
    try {
      return readHead(req, isTrusted ? HEAD_FAULTS[addon.headFault(req)] : undefined);
    } catch {
      distrust();
      return readHead(req);
    }
  };
  const learn = (req: HttpRequest): SeenRequest => {
    const read = readStrictly(req);
    if (isTrusted && read.head.framingFault === undefined && ++strange % LEARN_ONE_IN === 1) {
      try {
        const place = addon.learnHead(table, req);
        if (place >= 0) heads[place] = read.head;
      } catch {
        distrust();
      }
    }
    return read;
  };
  const check = (req: HttpRequest): SeenRequest => {
    const read = readHead(req);
    if (isSame(read, seen)) return seen;
    distrust();
    return read;
  };

  return {
    read: (req, landing = NOWHERE) => {
      if (!isTrusted) return readHead(req);
      const found = find(req, landing);
      const head = found < 0 ? undefined : heads[found & (HEAD_PLACES - 1)];
      if (head === undefined) return learn(req);
      seen.head = head;
      seen.contentLength = Math.floor(found / lengthUnit);
      seen.requestId = (found & hasRequestId) === 0 ? undefined : req.getHeader('x-request-id');
      seen.authorization = (found & hasAuthorization) === 0 ? undefined : req.getHeader('authorization');
      seen.hasLanded = (found & hasLanded) !== 0;
      return ++recognised % CHECK_ONE_IN === 0 ? check(req) : seen;
    },
  };
}

function isSame(one: SeenRequest, other: SeenRequest): boolean {
  const names = Object.keys(one.head) as (keyof RequestHead)[];
  return (
    one.contentLength === other.contentLength &&
    one.requestId === other.requestId &&
    one.authorization === other.authorization &&
    names.every((name) => one.head[name] === other.head[name])
  );
}
