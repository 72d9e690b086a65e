/**
 * Loaded into a gateway's threads by engine-step-down.test.ts and canary.test.ts: in one worker the kernel's fastest
 * implementation refuses whatever it is asked, or accepts it, while a file is there. The addon, its self-test and everything above are real.
 */
import { existsSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';

const { DAMAGE_FILE: file, DAMAGE_VERDICT: verdict = '0' } = process.env;
const load = process.dlopen;

if (!isMainThread && threadId === 2) {
  process.dlopen = (module, filename, ...rest) => {
    load(module, filename, ...rest);
    if (!filename.endsWith('vigie-kernel.node')) return;
    const addon = module.exports;
    const [fastest] = addon.implementations();
    /** Both forms of the call have these arguments in the same places. */
    const damaged =
      (verify) =>
      (...given) => {
        const known = verify(...given);
        const [implementation, , , , , , count, verdicts] = given;
        if (implementation === fastest && existsSync(file)) verdicts.fill(Number(verdict), 0, count);
        return known;
      };
    module.exports = {
      ...addon,
      verify: damaged(addon.verify),
      verifySpans: damaged(addon.verifySpans),
    };
  };
}
