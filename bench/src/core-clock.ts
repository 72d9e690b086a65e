/**
 * Cycles of the core in a nanosecond, as the core runs now. Virtual machines show a fixed clock, so it is measured:
 * a chain of 64-bit multiplications, each of which needs the one before, takes three cycles a link on the x86-64
 * processors of the last fifteen years, whatever else the core does beside it.
 */

const LINKS = 256;
const ROUNDS = 2_000;
/** The fastest counts: in the others the core was lent to somebody else. */
const ATTEMPTS = 5;
const CYCLES_A_LINK = 3;

/** Node has it; the types of the language alone do not. */
interface WasmGlobal {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
  };
}

/** `undefined` on an architecture whose multiplication takes another time. */
export function coreCyclesPerNanosecond(): number | undefined {
  if (process.arch !== 'x64') return undefined;
  const { WebAssembly } = globalThis as unknown as WasmGlobal;
  const chain = new WebAssembly.Instance(new WebAssembly.Module(chainModule())).exports.chain as (
    rounds: number,
  ) => bigint;
  let fastestNs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt <= ATTEMPTS; attempt++) {
    const start = process.hrtime.bigint();
    chain(ROUNDS);
    fastestNs = Math.min(fastestNs, Number(process.hrtime.bigint() - start));
  }
  return (LINKS * ROUNDS * CYCLES_A_LINK) / fastestNs;
}

/** chain(rounds: i32): i64, a loop over `x = x * x` written out LINKS times. */
function chainModule(): Uint8Array<ArrayBuffer> {
  const i64Multiply = [0x7e];
  const [getX, setX, getRounds, setRounds] = [
    [0x20, 1],
    [0x21, 1],
    [0x20, 0],
    [0x21, 0],
  ] as const;
  const link = [...getX, ...getX, ...i64Multiply, ...setX];
  const body = [
    ...[1, 1, 0x7e],
    ...[0x42, 3, ...setX],
    ...[0x03, 0x40],
    ...Array.from({ length: LINKS }, () => link).flat(),
    ...[...getRounds, 0x41, 1, 0x6b, ...setRounds],
    ...[...getRounds, 0x0d, 0],
    ...[0x0b, ...getX, 0x0b],
  ];
  const section = (id: number, content: readonly number[]): number[] => [
    id,
    ...leb128(content.length),
    ...content,
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7e]),
    ...section(3, [1, 0]),
    ...section(7, [1, 5, ...Buffer.from('chain'), 0, 0]),
    ...section(10, [1, ...leb128(body.length), ...body]),
  ]);
}

function leb128(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb128(value >> 7)];
}
