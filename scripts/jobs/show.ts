import { lateness } from '../../views/time.ts';
import { one } from '../usage.ts';
import { items, second, text, type RunAnswer, type SystemAnswer } from './answers.ts';
import { STATUS, type Command } from './command.ts';
import { logPrinter, newestLines } from './logs.ts';
import { nothing } from './reading.ts';
import { withRun } from './run-id.ts';
import { withApi } from './server.ts';
import { say, sayFacts, sayJson } from './terminal.ts';
import { commandText, pathOf } from './words.ts';

/** Commands that show one thing whole. */

type Fact = readonly [name: string, text: string];

const LINES_SHOWN = 50;
const NEVER = new AbortController().signal;

export const show: Command = async (words, { json }) => {
  const word = one(words, 'a run id');
  return await withApi('store', async (api) => {
    const { body: run } = await withRun(api, word, async (id) =>
      api.ask<RunAnswer>({ path: pathOf('runs', id) }),
    );
    if (json) {
      sayJson(run);
      return STATUS.done;
    }
    sayFacts([...factsOf(run), ...attemptsOf(run)]);
    const id = text(run.id);
    const { lines, left } = await newestLines(api, id, { most: LINES_SHOWN, signal: NEVER });
    if (lines.length > 0) say('');
    if (left > 0) say(`(${left} older lines: ${commandText('logs', id)})`);
    lines.forEach(logPrinter((line) => console.log(line)));
    return STATUS.done;
  });
};

function factsOf(run: RunAnswer): Fact[] {
  const state = text(run.state);
  const facts: Fact[] = [
    ['run', text(run.id)],
    ['state', `${state}${run.reason ? ` (${text(run.reason)})` : ''}`],
    ['trigger', `${text(run.trigger)}${run.requestedBy ? `, by ${text(run.requestedBy)}` : ''}`],
    ['scheduled', text(run.scheduledAt)],
    ['started', `${text(run.startedAt)}${late(run)}`],
    ['ended', text(run.endedAt)],
  ];
  const { range, progress, error, lateResult } = run;
  if (range) {
    const count = `${range.atLeast ? 'at least ' : ''}${text(range.count)}`;
    facts.push(['range', `${count}, ${second(range.from)} to ${second(range.to)}`]);
  }
  const rest: readonly (readonly [string, unknown])[] = [
    ['cause', run.cause],
    ['backfill', run.backfillOf],
    ['progress', progress && `${text(progress.done)} of ${text(progress.total)}`],
    ['input', run.input],
    ['output', run.output],
    ['error', error && (error.stack ?? error.message)],
    ['late', lateResult && `came to ${text(lateResult.outcome)} after the run was decided`],
  ];
  for (const [name, part] of rest) if (part) facts.push([name, text(part)]);
  return facts;
}

const late = ({ latenessMs }: RunAnswer): string =>
  typeof latenessMs === 'number' ? ` (${lateness(latenessMs)})` : '';

const attemptsOf = ({ notes, attempts }: RunAnswer): Fact[] => [
  ...items(notes).map((note): Fact => ['note', text(note.text)]),
  ...items(attempts).map(({ n, outcome, owner, startedAt }): Fact => {
    const where = `${text(outcome ?? 'running')} on ${text(owner)}`;
    return [`attempt ${text(n)}`, `${where}, started ${text(startedAt)}`];
  }),
];

/** Of the server itself: what it is made of, and whether all is well. */
export const system: Command = async (words, { json }) => {
  nothing(words);
  return await withApi('server', async (api) => {
    const { body } = await api.ask<SystemAnswer>({ path: '/system' });
    if (json) sayJson(body);
    else sayFacts(systemFacts(body));
    return STATUS.done;
  });
};

function systemFacts(body: SystemAnswer): Fact[] {
  const { process: own, store, wakes, counts, audit } = body;
  const { versions } = own ?? {};
  const facts: Fact[] = [
    ['now', text(body.now)],
    ['process', `${text(own?.owner)}, since ${second(own?.startedAt)}, build ${text(own?.build)}`],
    ['versions', `Punctual ${text(versions?.punctual)}, Node ${text(versions?.node)}`],
    ['store', `${text(store?.place)}${store?.unsteady ? `; ${text(store.unsteady)}` : ''}`],
    ['wake-ups', `by ${text(wakes?.by)}, the last ${second(wakes?.last?.at)}`],
    ['jobs', text(counts?.jobs)],
    ['at work', text(counts?.leases)],
    ['waiting', text(counts?.waiting)],
    ['overdue', `${text(counts?.overdue)} ${items(body.overdue).map(text).join(' ')}`.trim()],
    ['audit', audit ? `${second(audit.at)}: ${text(audit.gaps)} gaps` : 'none yet'],
    ['instances', text(items(body.instances).length)],
  ];
  if (wakes?.trouble) facts.push(['trouble', text(wakes.trouble)]);
  for (const { job, problem } of items(body.broken)) {
    facts.push(['broken', `${text(job)}: ${text(problem)}`]);
  }
  return facts;
}
