export interface Program {
  readonly name: string;
  readonly debianPackage: string;
  isFound?(): boolean | Promise<boolean>;
}
export const SEARCH_PATH: string;
export function requirePrograms(programs: readonly Program[], whose: string): Promise<void>;
