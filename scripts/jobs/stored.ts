import { registerJobs } from '../../server/core/register.ts';
import { isoInstant } from '../../server/core/time.ts';
import { systemClock } from '../../server/process/clock.ts';
import { loadRegistry } from '../../server/registry.ts';
import { SqliteStore } from '../../server/stores/sqlite.ts';
import { depsForScript } from '../deps.ts';
import { openForScript, whoIsHere } from '../open.ts';
import { BadUsage } from '../usage.ts';
import { STATUS, type Command } from './command.ts';
import { isNamed } from './place.ts';
import { nothing } from './reading.ts';

/** Commands that the store alone can carry out: no server is asked. */

export const adopt: Command = async (words) => {
  nothing(words);
  assertHere('adopt');
  const { config, store } = await openForScript();
  try {
    const deps = depsForScript(config, store, await loadRegistry(config, systemClock));
    await registerJobs(deps, { adopt: true, check: true });
    console.log(`the definitions of build ${config.build} hold from now on`);
    return STATUS.done;
  } finally {
    await store.close();
  }
};

export const resetClock: Command = async (words) => {
  nothing(words);
  assertHere('reset-clock');
  const { store } = await openForScript();
  try {
    if (!(store instanceof SqliteStore)) {
      throw new BadUsage("Firestore's clock is never set: there is nothing to accept");
    }
    const rewound = await store.resetClock(whoIsHere());
    console.log(`the clock is accepted as it is: ${isoInstant(Date.now())}`);
    for (const name of rewound) console.log(`${name} goes on from now: it was ahead of it`);
    return STATUS.done;
  } finally {
    await store.close();
  }
};

/** Whoever named a server would take it for that one's store. */
function assertHere(command: string): void {
  if (!isNamed(process.env)) return;
  throw new BadUsage(
    `${command} changes the store of this machine, not that of PUNCTUAL_URL: unset that, or call ` +
      'it where the store is',
  );
}
