/**
 * The table of heads, compiled with sanitisers, under Node: wrong in every argument, and asked of the parser's own
 * requests, while they are handled and when they are over. Called by addon-sanitised.mjs.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as call } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PLACES = 64;

/** No request, as far as JavaScript can make one. */
const WRONG = [
  ...[undefined, null, true, 'text', 1.5, -1, Number.NaN, 2 ** 53, 1n, Symbol('x')],
  ...[{}, [], () => {}, new Map(), new Proxy({}, {}), Object.create(null), new Date(0), /x/],
];
/** Node.js gives these the room in which the parser's requests have theirs, and leaves it empty. */
const EMPTY = [
  new Int8Array(9),
  new DataView(new ArrayBuffer(9)),
  new ArrayBuffer(9),
  new SharedArrayBuffer(9),
];

/** Whether the parser here is one of those whose memory was looked into (src/ingress/parser-build.ts). */
function parserIsKnown() {
  const home = dirname(fileURLToPath(import.meta.resolve('uWebSockets.js')));
  const target = `${process.platform}_${process.arch}_${process.versions.modules}`;
  const digest = createHash('sha256')
    .update(readFileSync(join(home, 'bin', `uws_${target}.node`)))
    .digest('hex');
  const source = (file) => readFileSync(fileURLToPath(new URL(`../../src/${file}`, import.meta.url)), 'utf8');
  // By its hash it is the one that was tested, by its name one whose layout is known.
  return (
    source('native/packaged-binaries.ts').includes(digest) &&
    source('ingress/parser-build.ts').includes(`'${target}'`)
  );
}

function refusesWhatIsNone(addon, table) {
  const rest = [new Uint8Array(0), 0, 0];
  for (const wrong of WRONG) {
    assert.throws(() => addon.findHead(wrong, {}, ...rest), TypeError);
    assert.throws(() => addon.learnHead(wrong, {}), TypeError);
    assert.throws(() => addon.findHead(table, wrong, ...rest), TypeError);
    assert.throws(() => addon.learnHead(table, wrong), TypeError);
    assert.throws(() => addon.connectionOf(wrong), TypeError);
  }
  for (const empty of EMPTY) {
    assert.throws(() => addon.findHead(empty, {}, ...rest), TypeError);
    assert.throws(() => addon.findHead(table, empty, ...rest), RangeError);
    assert.throws(() => addon.learnHead(table, empty), RangeError);
    assert.throws(() => addon.connectionOf(empty), RangeError);
  }
  // The handle of another kind is none, and no handle is a request.
  assert.throws(() => addon.findHead(addon.createRecogniser(), {}, ...rest), TypeError);
  assert.throws(() => addon.findHead(table, table, ...rest), TypeError);
  assert.throws(() => addon.findHead(table), TypeError);
  assert.throws(() => addon.findHead(), TypeError);
  assert.throws(() => addon.learnHead(), TypeError);
  assert.throws(() => addon.connectionOf(), TypeError);
}

/** Of a request that is being handled: everything but the request wrong, then right. */
function asks(addon, table, request) {
  const room = new Uint8Array(8);
  for (const wrong of [...WRONG, ...EMPTY, new Float32Array(2)]) {
    assert.throws(() => addon.findHead(table, request, wrong, 0, 8), TypeError);
    assert.throws(() => addon.findHead(table, request, room, wrong, 8), TypeError);
    assert.throws(() => addon.findHead(table, request, room, 0, wrong), TypeError);
    assert.throws(() => addon.findHead(wrong, request, room, 0, 8), TypeError);
    assert.throws(() => addon.learnHead(wrong, request), TypeError);
  }
  const place = addon.learnHead(table, request);
  assert(place >= 0 && place < PLACES);
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  assert.deepEqual(parts(addon.findHead(table, request, shared, 0, 8)), [place, true, true, true, 4]);
  assert.equal(Buffer.from(shared).toString('latin1', 0, 4), 'body');
  assert.equal(addon.findHead(addon.createHeadTable(), request, room, 0, 8), -1);
  landsBody(addon, table, request, place);
}

/** What `findHead` found: place, whether there is an id, an authorization, a body that has landed, and the body's length. */
function parts(found) {
  const has = (mark) => (found & mark) !== 0;
  return [found % PLACES, has(PLACES), has(2 * PLACES), has(4 * PLACES), Math.floor(found / (8 * PLACES))];
}

/** The four bytes of its body, where there is room for them, and no byte more. */
function landsBody(addon, table, request, place) {
  for (const [length, at, most, lands] of [
    [4, 0, 4, true],
    [9, 5, 4, true],
    [9, 0, 2 ** 32 - 1, true],
    [3, 0, 4, false],
    [0, 0, 4, false],
    [9, 6, 4, false],
    [9, 9, 4, false],
    [9, 10, 4, false],
    [9, 2 ** 32 - 1, 4, false],
    [9, 0, 3, false],
    [9, 0, 0, false],
  ]) {
    const room = new Uint8Array(length);
    const found = addon.findHead(table, request, room, at, most);
    assert.deepEqual(parts(found), [place, true, true, lands, 4]);
    const wanted = Buffer.alloc(length);
    if (lands) wanted.write('body', at);
    assert.deepEqual(Buffer.from(room), wanted);
  }
}

/** The same number at the connection's beginning, while it is used, and at its end. */
function asksOfConnections(addon) {
  const seen = [];
  return {
    filtered: (response) => seen.push(addon.connectionOf(response)),
    handled: (response) => seen.push(addon.connectionOf(response), addon.connectionOf(response)),
    check: () => {
      assert.equal(seen.length, 4);
      assert(Number.isFinite(seen[0]));
      assert.equal(new Set(seen).size, 1);
    },
  };
}

/** What handlers of the parser's make of one real request, and of its connection; rejects with what the first throws. */
async function handled(handler, filter) {
  const { App, us_listen_socket_close: close, us_socket_local_port: portOf } = await import('uWebSockets.js');
  return new Promise((resolve, reject) => {
    const app = App();
    let ended;
    app.filter(filter);
    app.any('/*', (response, request) => {
      let failure;
      try {
        handler(request, response);
      } catch (error) {
        // Nothing may be thrown into the parser.
        failure = error;
      }
      response.end('', true);
      ended = () => (failure === undefined ? resolve({ request, response }) : reject(failure));
    });
    app.listen('127.0.0.1', 0, (socket) => {
      const headers = {
        'X-Request-Id': 'synthetic',
        Authorization: 'Bearer synthetic',
        'X-Other': 'a'.repeat(700),
        'Content-Length': 4,
      };
      const options = { port: portOf(socket), host: '127.0.0.1', method: 'POST', headers, agent: false };
      const asked = call(options, (answer) => {
        answer.resume().on('close', () => {
          close(socket);
          app.close();
          setImmediate(ended);
        });
      });
      asked.on('error', reject).end('body');
    });
  });
}

export async function testHeads(addon) {
  const table = addon.createHeadTable();
  if (table === undefined) return console.log('heads: not tested, for requests cannot be reached here');
  refusesWhatIsNone(addon, table);
  if (!parserIsKnown()) return console.log('heads of requests: not tested, for this parser is not known');
  const connections = asksOfConnections(addon);
  const over = await handled((request, response) => {
    asks(addon, table, request);
    connections.handled(response);
  }, connections.filtered);
  connections.check();
  assert.throws(() => addon.findHead(table, over.request, new Uint8Array(8), 0, 8), RangeError);
  assert.throws(() => addon.learnHead(table, over.request), RangeError);
  assert.throws(() => addon.connectionOf(over.response), RangeError);
}
