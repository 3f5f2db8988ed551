/**
 * Prints a new key for PUNCTUAL_SECRET_KEY, which encrypts what schemas mark as secret.
 *
 *   npm run -s secret-key
 *
 * To change a key, put the new one in front of the old one, with a comma between. The old one can
 * go once no run that was stored with it is unfinished, or is to be run again.
 */
import { randomBytes } from 'node:crypto';
import { usageOf } from './usage.ts';

const asked = process.argv.slice(2);
if (asked.length > 0) console.log(usageOf('secret-key.ts'));
else console.log(randomBytes(32).toString('hex'));
