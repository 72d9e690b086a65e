/** Types of `fake-time.mjs`, which runs before anything is compiled. */
export function fakeTimeLibrary(): string | undefined;
