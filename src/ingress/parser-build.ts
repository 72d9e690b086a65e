/** Whether native code may read requests where the uWebSockets.js that is loaded keeps them in memory. */
import { packagedBinary } from '../native/packaged-binaries.ts';

/** Those whose memory of a request is known (head-reader.ts). */
const KNOWN_LAYOUTS: readonly string[] = ['linux_x64_115', 'linux_x64_127'];

export function layoutIsKnown(): boolean {
  const { target, standing } = packagedBinary('uWebSockets.js');
  return standing === 'tested' && KNOWN_LAYOUTS.includes(target);
}
