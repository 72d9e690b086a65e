/** Which signature engines are to be had here, and whether each keeps the acceptance rule. */
import type { Config } from '../../config.ts';
import { asksForKernel, ENGINE_SOURCES, selectEngine } from '../../signature/select-engine.ts';
import { type Finding, failure, fine, warning } from './finding.ts';

export function checkEngines({ engine: requested, keyCacheBytes, kernel }: Config): Finding[] {
  return ENGINE_SOURCES.map(({ name }) => {
    const subject = `engine ${name}`;
    // Asked for by name, an engine is given, self-tested, or refused with the reason.
    const selection = selectEngine({ requested: name, keyCacheBytes, kernel });
    if (selection.ok) return fine(subject, `${selection.engine.implementation}, self-test passed`);
    if (requested === name) {
      return failure(subject, selection.error, 'build it, or set VIGIE_ENGINE=auto');
    }
    if (name === 'native' && asksForKernel({ requested, kernel })) {
      return failure(subject, selection.error, 'build it, or set VIGIE_KERNEL=auto');
    }
    // The gateway works without it, only slower.
    if (name === 'native') return fine(subject, selection.error);
    return warning(subject, selection.error, 'run npm ci; do not ask for this engine');
  });
}
