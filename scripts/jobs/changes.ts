import { one } from '../usage.ts';
import { text, type JobAnswer, type RunAnswer } from './answers.ts';
import { STATUS, type Command } from './command.ts';
import { withRun } from './run-id.ts';
import { withApi } from './server.ts';
import { say, sayJson } from './terminal.ts';
import { pathOf } from './words.ts';

/** Commands that change what a job or a run does. */

export const pause: Command = async (words, { note, until, json }) => {
  const name = one(words, 'the name of a job');
  const body = JSON.stringify({ note, until });
  return await withApi('server', async (api) => {
    const path = pathOf('jobs', name, 'pause');
    const { body: job } = await api.ask<JobAnswer>({ method: 'PUT', path, body });
    if (json) sayJson(job);
    else say(`${name} is paused${until === undefined ? '' : ` until ${until}`}`);
    return STATUS.done;
  });
};

export const resume: Command = async (words, { json }) => {
  const name = one(words, 'the name of a job');
  return await withApi('server', async (api) => {
    const path = pathOf('jobs', name, 'pause');
    const { body: job } = await api.ask<JobAnswer>({ method: 'DELETE', path });
    if (json) sayJson(job);
    else say(`${name} goes on`);
    return STATUS.done;
  });
};

/** Asks a run to stop, on whichever instance it is. */
export const cancel: Command = async (words, { json }) => {
  const word = one(words, 'a run id');
  return await withApi('store', async (api) => {
    const { body: run } = await withRun(api, word, async (id) =>
      api.ask<RunAnswer>({ method: 'POST', path: pathOf('runs', id, 'cancel') }),
    );
    const id = text(run.id);
    if (json) sayJson(run);
    else say(run.state === 'cancelled' ? `${id} is cancelled` : `${id} was asked to stop`);
    return STATUS.done;
  });
};

/** Takes the slot from a run that does not stop. */
export const free: Command = async (words, { json }) => {
  const word = one(words, 'a run id');
  return await withApi('store', async (api) => {
    const { body: run } = await withRun(api, word, async (id) =>
      api.ask<RunAnswer>({ method: 'POST', path: pathOf('runs', id, 'free') }),
    );
    if (json) sayJson(run);
    else say(`the slot of ${text(run.id)} is free`);
    return STATUS.done;
  });
};
