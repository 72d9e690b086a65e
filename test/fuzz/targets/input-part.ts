/** A target of several kinds of bytes: the first byte of an input says of which kind the rest is. */
import type { FuzzTarget } from '../fuzz-target.ts';

export interface Judged {
  readonly accepted: boolean;
  readonly fault: string | undefined;
}

export interface InputPart {
  readonly words?: FuzzTarget['words'];
  readonly seeds: readonly Uint8Array[];
  run(rest: Buffer): Judged | Promise<Judged>;
  close?(): void | Promise<void>;
}

export function judged(accepted: boolean, fault?: string): Judged {
  return { accepted, fault };
}

/** `same`: whether what the gateway read is what the model read. */
export function compared(what: string, read: unknown, model: unknown, same: boolean): Judged {
  const accepted = model !== undefined;
  return judged(accepted, same ? undefined : `${what}: read ${shown(read)}, the model ${shown(model)}`);
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_name, member) => (Number.isNaN(member) ? 'NaN' : member)) ?? 'nothing';
}

export function targetOf(parts: readonly InputPart[], words: FuzzTarget['words'] = []): FuzzTarget {
  // Every kind must have had something accepted before the target may say that it looked at anything.
  const accepted = parts.map(() => 0);
  return {
    words: [...words, ...parts.flatMap((part) => part.words ?? [])],
    seeds: parts.flatMap(({ seeds }, kind) =>
      seeds.map((seed) => Buffer.concat([Uint8Array.of(kind), seed])),
    ),
    accepted: () => (accepted.includes(0) ? 0 : accepted.reduce((sum, count) => sum + count, 0)),
    run: async (input) => {
      const kind = (input[0] ?? 0) % parts.length;
      const { accepted: isAccepted, fault } = await (parts[kind] as InputPart).run(input.subarray(1));
      if (isAccepted) accepted[kind] = (accepted[kind] as number) + 1;
      return fault;
    },
    close: async () => {
      for (const part of parts) await part.close?.();
    },
  };
}
