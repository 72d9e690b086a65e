/**
 * Whether native code may look at requests and connections where the uWebSockets.js that is loaded keeps them. Its seven megabytes
 * are hashed once a process: later threads are told by which file the first judged, and believe it of that file alone, as
 * the system knows it. One that was replaced meanwhile, which a thread that is born later would load, is judged anew.
 */
import { statSync } from 'node:fs';
import { fileOfBinary, packagedBinary } from '../native/packaged-binaries.ts';

/** Those whose memory of a request (head-reader.ts) and of a connection (admission/peers.ts) is known. */
const KNOWN_LAYOUTS: readonly string[] = ['linux_x64_115', 'linux_x64_127'];

export interface ParserBuild {
  /** Which file, in which state; `undefined` where it cannot be told. */
  readonly file: string | undefined;
  readonly layoutIsKnown: boolean;
}

/** `judged`: by another thread of this process. */
export function judgeParser(judged?: ParserBuild): ParserBuild {
  const file = stateOfFile();
  if (judged !== undefined && file !== undefined && judged.file === file) return judged;
  const { target, standing } = packagedBinary('uWebSockets.js');
  return { file, layoutIsKnown: standing === 'tested' && KNOWN_LAYOUTS.includes(target) };
}

/** Taken before the file is read, so that a change in between is one. No program sets the last of these times. */
function stateOfFile(): string | undefined {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(fileOfBinary('uWebSockets.js'), { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return undefined;
  }
}
