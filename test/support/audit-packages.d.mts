interface Said {
  readonly status: number | null;
  readonly stdout: string;
}
export function judgeSignatures(said: Said): { readonly failed: boolean; readonly line: string };
export function judgeAdvisories(said: Said): string;
