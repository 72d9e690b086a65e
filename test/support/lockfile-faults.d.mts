export function lockfileFaults(lockfile: unknown, manifest: unknown): string[];
export function settingsFaults(npmrc: string): string[];
