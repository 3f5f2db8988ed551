#!/usr/bin/env node
/**
 * The jobs of a service, from the command line.
 *
 *   npm run -s jobs -- list                           every job, its schedule and state
 *   npm run -s jobs -- trigger NAME [--input file.json] [--overlap allow] [--key KEY]
 *                      [--wait [SECONDS]] [--follow]  starts a run; with --wait until it is over,
 *                                                     with --follow showing its log
 *   npm run -s jobs -- runs [NAME] [--state failed,lost] [--trigger manual] [--since 2d]
 *                      [--until today] [--limit 20]   the newest runs
 *   npm run -s jobs -- show RUN                       one run, whole
 *   npm run -s jobs -- logs RUN [-f] [--limit 100]    its log, the newest lines; -f: as it comes
 *   npm run -s jobs -- cancel RUN                     asks a run to stop
 *   npm run -s jobs -- free RUN                       takes the slot from one that does not stop
 *   npm run -s jobs -- rerun RUN [--key KEY] [--overlap allow] [--wait [SECONDS]] [--follow]
 *   npm run -s jobs -- pause NAME [--note text] [--until 2026-03-07T07:30:00Z]
 *   npm run -s jobs -- resume NAME
 *   npm run -s jobs -- backfill NAME --from 2026-03-01 --to 2026-03-07T12:00Z [--key KEY]
 *   npm run -s jobs -- backfills NAME                 those of a job, and how far they are
 *   npm run -s jobs -- upcoming [NAME] [--until 2026-03-08T00:00:00Z] [--limit 20]
 *   npm run -s jobs -- actions [NAME] [--limit 20]    who did what
 *   npm run -s jobs -- system                         whether all is well with the server
 *
 * They ask the server at PUNCTUAL_URL, and show it the token in PUNCTUAL_TOKEN; over plain http
 * only to this machine itself. Without PUNCTUAL_URL: trigger, rerun, pause, resume, backfill and
 * system ask this machine's server, at PORT; the others look into this machine's store, whether or
 * not a server runs. These are about this machine in any case:
 *
 *   npm run -s jobs -- next [NAME] [--count 5]        the next occurrences of each job, or of one
 *   npm run -s jobs -- run NAME [--input file.json]   runs the handler here, as a plain function
 *   npm run -s jobs -- adopt                          this build's definitions hold from now on
 *   npm run -s jobs -- reset-clock                    accepts a clock that was set back
 *
 *   --json       what the API answers, and nothing else on standard output; of logs a line each.
 *                With --follow the log goes to standard error.
 *   --input -    reads it from standard input
 *   --key KEY    the same twice starts one run; without it, each call starts its own
 *   --since, --until, --from, --to   an instant, a day in UTC, or so long ago: 36h, 2d
 *
 * Exit status:
 *   0  done; of a run that was waited for, it succeeded
 *   1  the run ended otherwise: failed, timed out, lost, cancelled, skipped
 *   2  the command or its input is not right, or it can't be carried out on this machine
 *   3  not allowed: no token, a wrong one, or one that may not do this
 *   4  no such job or run
 *   5  what the job does already stands in the way, or too much is asked of the server
 *   6  the server does not answer, or what answers is no such server
 *   7  the run goes on, and the time to --wait is over
 *   130  Ctrl-C
 */
import { describeError } from '../server/core/outcome.ts';
import { visible } from '../views/html.ts';
import { readArguments } from './jobs/arguments.ts';
import { STATUS, Trouble, type Status } from './jobs/command.ts';
import { COMMANDS } from './jobs/commands.ts';
import { BadUsage, usageOf } from './usage.ts';

// Whoever reads only the head of a list closes the pipe.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? STATUS.unread : STATUS.usage),
);
process.stderr.on('error', () => undefined);

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isOurs = error instanceof Trouble || error instanceof BadUsage;
  console.error(visible(isOurs ? error.message : describeError(error).message));
  return error instanceof Trouble ? error.status : STATUS.usage;
});

async function main(given: readonly string[]): Promise<Status> {
  // As the API has it: `jobs list`, or just `jobs`.
  const args = given[0] === 'jobs' ? ['list', ...given.slice(given[1] === 'list' ? 2 : 1)] : given;
  const [name = 'help', ...rest] = args;
  if (name === 'help' || [name, ...rest].some((word) => word === '--help' || word === '-h')) {
    console.log(usageOf('jobs.ts'));
    return STATUS.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const known = Object.keys(COMMANDS).join(', ');
    throw new BadUsage(`there is no command "${name}"; there are ${known}`);
  }
  const { words, options } = readArguments(name, rest, command.takes);
  const act = await command.load();
  return await act(words, options);
}
