/** A process that appends to a trail without pause and says which numbers are durable, until it is killed. */
import { openAuditTrail } from '../../src/audit/audit-trail.ts';

const [dir = '', keyHex = ''] = process.argv.slice(2);
const trail = await openAuditTrail({
  dir,
  name: 'admin',
  key: Buffer.from(keyHex, 'hex'),
  days: 365,
  wallMs: Date.now,
  onFault: () => {},
});
for (;;) {
  const numbers = await Promise.all(Array.from({ length: 7 }, () => trail.append({ what: 'killed' })));
  process.stdout.write(`${numbers.at(-1)}\n`);
}
