/**
 * Loaded into a gateway's threads by `workerFault` (gateway.ts): breaks a data-plane thread in a way that
 * no request can. The thread, its app, its sockets and the main thread that has to cope are the real ones.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread, threadId, workerData } from 'node:worker_threads';

const {
  FAULT: fault,
  FAULT_FILE: file,
  FAULT_NO_ADDON: noAddon,
  FAULT_NO_SUCCESSOR: noSuccessor,
} = process.env;

// As on a machine where the native code was not built.
if (noAddon !== undefined) {
  const load = process.dlopen;
  process.dlopen = (module, filename, ...rest) => {
    if (filename.endsWith('vigie-kernel.node')) throw new Error('not on this machine');
    load(module, filename, ...rest);
  };
}

/** Before the filter's bits stand its parameters (src/revocation/bloom-filter.ts). */
const FILTER_HEADER_BYTES = 64;

/** Calls when the file comes and when it goes. */
function whenever(changed) {
  let known = false;
  const timer = setInterval(() => {
    const present = existsSync(file);
    if (present !== known) changed(present);
    known = present;
  }, 20);
  timer.unref();
}

if (!isMainThread) {
  // The thread throws, time and again, from when the file is there, where nothing of the gateway catches.
  if (fault === 'throws') {
    const timer = setInterval(() => {
      if (existsSync(file)) throw new TypeError('CANARY');
    }, 5);
    timer.unref();
  }
  // Whatever verifies throws where it asks for the time, for as long as the file is there.
  if (fault === 'handler-throws') {
    const now = Date.now;
    Error.stackTraceLimit = 30;
    Date.now = () => {
      if (existsSync(file) && new Error('where').stack.includes('/ingress/')) throw new TypeError('CANARY');
      return now();
    };
  }
  // The filter, which all threads share, is without a bit for as long as the file is there.
  if (fault === 'forgets' && threadId === 1) {
    const bits = new Uint8Array(workerData.revocation.filter, FILTER_HEADER_BYTES);
    let kept;
    whenever((present) => {
      if (present) {
        kept = bits.slice();
        bits.fill(0);
      } else if (kept !== undefined) bits.set(kept);
    });
  }
  if (threadId === 2) {
    // It has a filter of its own, which learns of nothing.
    if (fault === 'deaf') {
      const shared = new Uint8Array(workerData.revocation.filter);
      const own = new SharedArrayBuffer(shared.length);
      new Uint8Array(own).set(shared.subarray(0, FILTER_HEADER_BYTES));
      workerData.revocation.filter = own;
    }
    // It hangs in the middle of its work for as long as the file is there.
    if (fault === 'hangs') {
      const never = new Int32Array(new SharedArrayBuffer(4));
      whenever((present) => {
        while (present && existsSync(file)) Atomics.wait(never, 0, 0, 20);
      });
    }
  }
  // The first thread breaks, once, when the file is there; the one that takes its place has another number.
  const breaks = {
    loops: () => {
      for (;;);
    },
    hoards: () => {
      for (const kept = []; ; ) kept.push(Array.from({ length: 1_000 }, () => ({ number: Math.random() })));
    },
    exits: () => process.exit(9),
    // Where the parser hands a request over, by the clock that is read there: it gives up on the process then.
    'throws-into-parser': () => {
      const { hrtime } = process;
      const thrower = (...args) => {
        if (new Error('where').stack.includes('http-server')) throw new TypeError('CANARY');
        return hrtime(...args);
      };
      process.hrtime = Object.assign(thrower, { bigint: hrtime.bigint });
      syncBuiltinESMExports();
    },
    'throws-once': () => {
      throw new TypeError('CANARY');
    },
  }[fault];
  if (breaks !== undefined && threadId === 1) {
    const timer = setInterval(() => {
      if (!existsSync(file)) return;
      clearInterval(timer);
      writeFileSync(`${file}.struck`, '');
      breaks();
    }, 5);
    timer.unref();
  }
  // Whoever takes the place of the only thread comes up when it is let.
  if (fault === 'loops' && noSuccessor !== undefined && threadId > 1) {
    while (!existsSync(`${file}.go`)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // All end, and whoever takes their place does not load.
  if (fault === 'barren') {
    if (threadId > 2) throw new TypeError('CANARY');
    const timer = setInterval(() => {
      if (existsSync(file)) process.exit(9);
    }, 5);
    timer.unref();
  }
  // One thread of several cannot open its store, does not load, or never gets to its start.
  if (threadId === 2) {
    if (fault === 'store') workerData.revocation.dir += '.none';
    if (fault === 'load') throw new TypeError('CANARY');
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, 1_500));
  }
}
