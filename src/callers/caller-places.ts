/**
 * Where each caller is counted. A name keeps its place for the life of the process, so that a counter never belongs to
 * two of them; there is an end to places, or names that come and go would make the metrics grow for ever.
 */

export interface CallerPlaces {
  /** The same for the same name; the last place is shared by all that come when no other is left. */
  placeOf(name: string): number;
  /** Names by place, those without a caller left out. */
  names(): readonly (readonly [place: number, name: string])[];
}

/** Of names that found no place of their own. */
export const SHARED_NAME = 'other';

export function createCallerPlaces(places: number): CallerPlaces {
  const byName = new Map<string, number>();
  const last = places - 1;
  let crowded = false;
  return {
    placeOf: (name) => {
      const known = byName.get(name);
      if (known !== undefined) return known;
      if (byName.size >= last) {
        crowded = true;
        return last;
      }
      byName.set(name, byName.size);
      return byName.size - 1;
    },
    names: () => {
      const own = [...byName].map(([name, place]) => [place, name] as const);
      return crowded ? [...own, [last, SHARED_NAME] as const] : own;
    },
  };
}
