/**
 * The jobs of this service, from the command line.
 *
 *   npm run jobs -- list                              every job, its schedule and state
 *   npm run jobs -- next [NAME] [--count 5]           the next occurrences of each, or of one
 *   npm run jobs -- run NAME [--input file.json]      runs the handler here, as a plain function
 *   npm run jobs -- trigger NAME [--input file.json] [--wait 60]   through the running server
 *   npm run jobs -- runs [NAME] [--state failed] [--limit 20]      the newest runs
 *   npm run jobs -- show RUN                          one run, whole, with its log
 *   npm run jobs -- pause NAME [--note text] [--until 2026-03-07T07:30:00Z]
 *   npm run jobs -- resume NAME
 *   npm run jobs -- cancel RUN                        asks a run to stop
 *   npm run jobs -- free RUN                          takes the slot from one that does not stop
 *   npm run jobs -- adopt                             this build's definitions hold from now on
 *   npm run jobs -- reset-clock                       accepts a clock that was set back
 *
 * Exit status: 0 done, 1 the run did not succeed, 2 the command can't be carried out.
 */
import { parseArgs } from 'node:util';
import { fail } from './open.ts';
import { commands } from './commands.ts';
import { usageOf } from './usage.ts';

const { values, positionals } = readArguments();
const [name, ...rest] = positionals;
const command = commands.get(name ?? 'help');
if (values.help === true || command === undefined) {
  console.log(usageOf('jobs.ts'));
  process.exit(values.help === true || name === undefined ? 0 : 2);
}
try {
  process.exitCode = await command(rest, values);
} catch (error) {
  fail(error);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        count: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        input: { type: 'string' },
        limit: { type: 'string' },
        note: { type: 'string' },
        state: { type: 'string' },
        until: { type: 'string' },
        wait: { type: 'string' },
      },
    });
  } catch (error) {
    fail(error);
  }
}
