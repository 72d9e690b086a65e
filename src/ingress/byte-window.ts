/** The bytes of a body that have arrived and were not yet read: what is behind them is forgotten. */

export interface ByteWindow {
  /** Live in `[start, end)`. */
  bytes: Buffer;
  start: number;
  end: number;
}

/** Large buffers used again and again: made anew for each body, the collector would be busy with them. */
export interface BufferPool {
  /** At least so many bytes, of any content. */
  take(bytes: number): Buffer;
  /** To be given back once, and not touched any more. */
  give(buffer: Buffer): void;
}

const NOTHING = Buffer.alloc(0);

export function createBufferPool(bufferBytes: number, most: number): BufferPool {
  const spare: Buffer[] = [];
  return {
    take: (bytes) =>
      bytes > bufferBytes
        ? Buffer.allocUnsafeSlow(bytes)
        : (spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes)),
    give: (buffer) => {
      if (buffer.length === bufferBytes && spare.length < most) spare.push(buffer);
    },
  };
}

export function createWindow(): ByteWindow {
  return { bytes: NOTHING, start: 0, end: 0 };
}

/** Bodies that come in small pieces need no more room than they have sent, twice over. */
const LARGE_BYTES = 64 * 1024;

/** Puts the chunk, which is copied, behind what is there. Places found before may not be used after. */
export function append(window: ByteWindow, chunk: Buffer, pool: BufferPool): void {
  const live = window.end - window.start;
  const needed = live + chunk.length;
  if (window.end + chunk.length > window.bytes.length) {
    const { bytes, start, end } = window;
    if (needed > bytes.length) {
      window.bytes =
        needed < LARGE_BYTES ? Buffer.allocUnsafeSlow(2 * needed) : pool.take(needed + (live >> 1));
      bytes.copy(window.bytes, 0, start, end);
      pool.give(bytes);
    } else {
      bytes.copyWithin(0, start, end);
    }
    window.start = 0;
    window.end = live;
  }
  window.bytes.set(chunk, window.end);
  window.end += chunk.length;
}

/** Before a wait: what is left keeps no more memory than it needs. */
export function settle(window: ByteWindow, pool: BufferPool): void {
  const { bytes, start, end } = window;
  if (4 * (end - start) > bytes.length) return;
  window.bytes = start === end ? NOTHING : Buffer.from(bytes.subarray(start, end));
  window.start = 0;
  window.end = end - start;
  pool.give(bytes);
}
