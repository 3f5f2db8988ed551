import { backupStore } from './backup-store.ts';
import { canary } from './canary.ts';
import { checkUrls } from './check-urls.ts';
import { pruneHistory } from './prune-history.ts';
import { selfAudit } from './self-audit.ts';

/**
 * The jobs of this service, like a crontab: one a line, its schedule beside it. Times are UTC.
 *
 * A line of an old crontab comes over as it is, with `command` from './command.ts':
 *
 *   0 4 * * 1  /usr/local/bin/rotate-logs --all
 *
 *   defineJob({
 *     name: 'rotate-logs',
 *     schedule: '0 4 * * 1',
 *     run: command('/usr/local/bin/rotate-logs --all'),
 *   }),
 */
export default [
  // m    h  dom mon dow
  canary, //       *    *   *   *   *
  checkUrls, //    */5  *   *   *   *
  backupStore, //  H    2   *   *   *
  pruneHistory, // H    3   *   *   *
  selfAudit, //    H    4   *   *   *
];
