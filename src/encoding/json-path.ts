/** Places in a JSON document, as faults name them. */

/** Writes a place as `issuers[0].keys[2].x`; the document itself is the empty text. */
export function formatPath(path: readonly PropertyKey[]): string {
  let formatted = '';
  for (const step of path) {
    if (typeof step === 'number') formatted += `[${step}]`;
    else formatted += formatted === '' ? String(step) : `.${String(step)}`;
  }
  return formatted;
}
