/**
 * What the name of every key of a deployment begins with. It is a hash tag: whatever stands before several Redis and
 * divides keys among them keeps a deployment's together, as scripts that touch several need it.
 */

/** No braces: they would end the hash tag early and scatter the keys. */
const PREFIX = /^[A-Za-z0-9._-]{1,64}$/;

export function keyTag(prefix: string): string {
  if (!PREFIX.test(prefix)) throw new RangeError('a prefix has 1 to 64 letters, digits, dots, _ and -');
  return `{${prefix}}:`;
}
