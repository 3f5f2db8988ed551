import { isFinal, isRunState } from '../../server/core/run.ts';
import { isoInstant } from '../../server/core/time.ts';
import { oneLine } from '../table.ts';
import { BadUsage, one, oneOf } from '../usage.ts';
import { second, text, type BackfillAnswer, type RunAnswer } from './answers.ts';
import type { Api } from './api.ts';
import { STATUS, Trouble, type Command, type Options, type Status } from './command.ts';
import { interruptible } from './interrupt.ts';
import { opened, took } from './lists.ts';
import { inputText, instant, keyOf, waitMs } from './reading.ts';
import { withRun } from './run-id.ts';
import { withApi } from './server.ts';
import { coloured, remark, say, sayJson } from './terminal.ts';
import { watch } from './watch.ts';
import { commandText, pathOf, quoted } from './words.ts';

/** Commands that start something: each under a key, so that it can be sent again. */

export const trigger: Command = async (words, options) => {
  const name = one(words, 'the name of a job');
  const input = inputText(options.input);
  const fields = [...(input === undefined ? [] : [`"input":${input}`]), ...overlapOf(options)];
  const body = `{${fields.join()}}`;
  const path = pathOf('jobs', name, 'runs');
  return await started(options, async (asked) => created<RunAnswer>({ ...asked, path, body }));
};

export const rerun: Command = async (words, options) => {
  const word = one(words, 'a run id');
  const body = `{${overlapOf(options).join()}}`;
  return await started(options, async (asked) =>
    withRun(asked.api, word, async (id) =>
      created<RunAnswer>({ ...asked, path: pathOf('runs', id, 'reruns'), body }),
    ),
  );
};

const overlapOf = ({ overlap }: Options): string[] =>
  overlap === undefined ? [] : [`"overlap":"${oneOf(overlap, 'overlap', ['allow'])}"`];

interface Asked {
  readonly api: Api;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** Has a run started, and waits for its end where that is wished. */
async function started(
  options: Options,
  start: (asked: Asked) => Promise<RunAnswer>,
): Promise<Status> {
  const key = keyOf(options.key);
  const withinMs = waitMs(options.wait) ?? (options.follow ? Infinity : undefined);
  let id: string | undefined;
  return await withApi('server', async (api) =>
    interruptible(
      async (signal) => {
        const run = await start({ api, key, signal });
        id = text(run.id);
        if (!options.json) announce(api, run);
        const asked = { api, key, signal };
        if (withinMs !== undefined) return await waited(asked, run, options, withinMs);
        if (options.json) sayJson(run);
        return outcome(run);
      },
      () => remark(interruptedWords(id, key)),
    ),
  );
}

function interruptedWords(id: string | undefined, key: string): string {
  const goesOn = id && `the run goes on. To cancel it: ${commandText('cancel', id)}`;
  return `not waited for any more; ${goesOn ?? askedAgain(key)}`;
}

const askedAgain = (key: string): string =>
  `whether it was started, the same with --key ${quoted(key)} finds out`;

/** What was made, or had been made under the same key before. */
async function created<T>({
  api,
  ...request
}: Asked & { readonly path: string; readonly body: string }) {
  try {
    const { body } = await api.ask<T>({ method: 'POST', ...request, patientUntil: Infinity });
    return body;
  } catch (error) {
    if (!(error instanceof Trouble) || !error.unsure) throw error;
    throw new Trouble(error.status, `${error.message}; ${askedAgain(request.key)}`);
  }
}

function announce({ url }: Api, run: RunAnswer): void {
  console.log(oneLine(`${text(run.id)} ${text(run.state)}`));
  if (url !== null) console.log(oneLine(`${url}${pathOf('runs', text(run.id))}`));
}

/** Waits for a run's end, and tells what it came to. */
async function waited(
  { api, signal }: Asked,
  begun: RunAnswer,
  { json, follow }: Options,
  withinMs: number,
): Promise<Status> {
  const id = text(begun.id);
  const until = performance.now() + withinMs;
  const print = json ? (line: string) => console.error(line) : (line: string) => console.log(line);
  await watch(api, id, { signal, until, print: follow ? print : undefined });
  const asked = { path: pathOf('runs', id), signal, patientUntil: Infinity };
  const { body: run } = await api.ask<RunAnswer>(asked);
  if (json) sayJson(run);
  if (!isOver(run)) {
    remark(`${id} is ${text(run.state)} after ${withinMs / 1000} s; it goes on`);
    return STATUS.stillRunning;
  }
  if (!json) console.log(resultLine(run));
  return outcome(run);
}

function resultLine(run: RunAnswer): string {
  const { reason, error, output } = run;
  const state = text(run.state);
  const time = run.startedAt ? ` in ${took(run)}` : '';
  const said = error ? error.message : (reason ?? output);
  const what = said === null || said === undefined ? '' : `: ${text(said)}`;
  return `${oneLine(text(run.id))} ${coloured(oneLine(state), state)}${oneLine(time + what)}`;
}

/** A state that a newer server has besides says nothing here. */
const isOver = ({ state = 'queued', endedAt }: RunAnswer): boolean =>
  isRunState(state) ? isFinal(state) : typeof endedAt === 'string';

/** Of a run that is not over nothing bad is known. */
const outcome = (run: RunAnswer): Status =>
  !isOver(run) || run.state === 'succeeded' ? STATUS.done : STATUS.otherwise;

export const backfill: Command = async (words, options) => {
  const name = one(words, 'the name of a job');
  const from = instant(options.from, 'from', 'first');
  const to = instant(options.to, 'to', 'last');
  if (from === undefined || to === undefined) {
    throw new BadUsage('expected --from and --to: the first and the last instant, or day, of it');
  }
  const body = JSON.stringify({ from: isoInstant(from), to: isoInstant(to) });
  const key = keyOf(options.key);
  const path = pathOf('jobs', name, 'backfills');
  return await withApi('server', async (api) =>
    interruptible(
      async (signal) => {
        const made = await created<BackfillAnswer>({ api, key, signal, path, body });
        if (options.json) sayJson(made);
        else {
          const span = `${second(made.from)} to ${second(made.to)}`;
          say(`${text(made.id)} ${text(made.state)}: ${span}, ${opened(made)} opened`);
        }
        return STATUS.done;
      },
      () => remark(interruptedWords(undefined, key)),
    ),
  );
};
