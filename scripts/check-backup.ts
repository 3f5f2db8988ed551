/**
 * Opens a copy of the database and reads it from end to end.
 *
 *   node scripts/check-backup.ts .data/backups/punctual-20260131T020000Z.db
 *
 * Prints how many runs it holds; exits 1, with the reason, when it is not whole.
 */
import { checkBackup } from '../server/stores/sqlite-backup.ts';

const [path] = process.argv.slice(2);
try {
  if (path === undefined) throw new Error('expected the path of a copy');
  console.log(String(checkBackup(path).runs));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
