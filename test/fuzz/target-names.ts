/** What can be fuzzed, by name: without opening any of it. */

/** Guided by coverage: test/fuzz/targets/. */
export const GUIDED = ['http', 'envelope', 'jws', 'trust-list', 'status-file', 'redis'] as const;
export type GuidedTarget = (typeof GUIDED)[number];

/** With inputs drawn from a grammar: programs of their own, of native code against its reference. */
export const GENERATED = {
  decoder: '../credential/fuzz-decoder.ts',
  kernel: '../signature/fuzz-kernel.ts',
} as const;
export type GeneratedTarget = keyof typeof GENERATED;

export const ALL_TARGETS: readonly string[] = [...GUIDED, ...Object.keys(GENERATED)];
