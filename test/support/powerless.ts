/**
 * Starts a program without what root may do beyond other users: tests may run as root, gateways should not, and what
 * another program of its user may look at is told only from the one of both that is no mightier than the other.
 */
export const POWERLESS: readonly string[] =
  // Whoever is not root has no such rights, nor that to take them from others.
  process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : ['env'];
