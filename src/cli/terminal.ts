/**
 * Where a command writes. Answers go to standard output, everything else to standard error; colour and
 * progress appear only on a terminal, and colour not where NO_COLOR is set (https://no-color.org).
 */
import type { Readable, Writable } from 'node:stream';

export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };
export type InputStream = Readable & { readonly isTTY?: boolean };

/** The process as the commands see it. */
export interface Terminal {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: InputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/** SGR parameters (ECMA-48 section 8.3.117): on, off. */
const SGR: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  bold: [1, 22],
  dim: [2, 22],
};

export type Paint = (colour: Colour, text: string) => string;

/** Paints for this stream, or leaves text as it is where colour has no place. */
export function paintFor(terminal: Terminal, stream: OutputStream): Paint {
  const { NO_COLOR, TERM } = terminal.environment;
  const plain = stream.isTTY !== true || (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb';
  if (plain) return (_colour, text) => text;
  return (colour, text) => `\u001b[${SGR[colour][0]}m${text}\u001b[${SGR[colour][1]}m`;
}

export interface Progress {
  update(done: number): void;
  /** Removes the bar, so that what follows starts on a clean line. */
  end(): void;
}

const BAR_CELLS = 24;
/** A redraw costs a write to the terminal; more often than this the eye cannot follow. */
const REDRAW_MS = 80;

/** A progress bar on standard error, or nothing where that is no terminal. */
export function startProgress(terminal: Terminal, label: string, total: number): Progress {
  const { stderr } = terminal;
  if (stderr.isTTY !== true || total === 0) return { update: () => {}, end: () => {} };
  let drawnAtMs = 0;
  return {
    update: (done) => {
      const nowMs = performance.now();
      if (nowMs - drawnAtMs < REDRAW_MS && done < total) return;
      drawnAtMs = nowMs;
      const filled = Math.round((done / total) * BAR_CELLS);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
      stderr.write(`\r\u001b[K${label} ${bar} ${formatCount(done)}/${formatCount(total)}`);
    },
    end: () => {
      stderr.write('\r\u001b[K');
    },
  };
}

/** 12345.6 as `12,346`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `1 key`, `2 keys`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Rows as aligned columns; columns listed in `right` are aligned to the right. */
export function formatTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
