/**
 * The head of the answer that nearly all calls get: 200, JSON, and an id that was made here. It is the same bytes each time
 * but for the last digits of the id, and bytes the parser takes as they are, where text is put together, measured and
 * converted for each answer.
 */
import { createNumberedIds } from './request-id.ts';
import { STATUS_LINES } from './status-lines.ts';

const [ZERO, NINE, A, Z] = Buffer.from('09az') as unknown as readonly [number, number, number, number];

export interface AnswerHeads {
  /** Counts one answer more. */
  next(): number;
  /** With the id of the answer that was counted last; what status and headers are sent by. */
  readonly bytes: ArrayBuffer;
  /** The id of the answer with this number. */
  idOf(number: number): string;
}

/** Its ids have a prefix of their own: none is one that `createRequestIds` makes. */
export function createAnswerHeads(): AnswerHeads {
  const idOf = createNumberedIds();
  const text = `${STATUS_LINES[200]}\r\ncontent-type: application/json\r\nx-request-id: ${idOf(0)}`;
  // The parser takes an ArrayBuffer sooner than a view of one.
  const content = new ArrayBuffer(Buffer.byteLength(text));
  const bytes = new Uint8Array(content);
  bytes.set(Buffer.from(text));
  let count = 0;
  return {
    bytes: content,
    idOf,
    next: () => {
      count++;
      // What is carried goes on with the digit before, until there is none to be carried.
      for (let at = bytes.length - 1; ; at--) {
        const digit = digitBehind(bytes[at] as number);
        bytes[at] = digit;
        if (digit !== ZERO) return count;
      }
    },
  };
}

/** The next digit to the base of 36; zero behind the last. */
function digitBehind(digit: number): number {
  if (digit === NINE) return A;
  return digit === Z ? ZERO : digit + 1;
}
