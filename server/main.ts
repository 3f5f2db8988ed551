import { forWhom } from './config-access.ts';
import { readConfig, type Config } from './config.ts';
import type { Log } from './core/deps.ts';
import { describeError } from './core/outcome.ts';
import type { Registry } from './core/registry.ts';
import { makeLog } from './observe/log.ts';
import { systemClock } from './process/clock.ts';
import { collectAfterStart } from './process/collect.ts';
import { guardProcess } from './process/guard.ts';
import { loadRegistry } from './registry.ts';
import { makeService } from './service.ts';
import { openStore } from './stores/open.ts';
import type { Dispatch } from './triggers/dispatch.ts';

/** Starts the service as the environment says, and ends the process where that can't be done. */
export async function main(): Promise<void> {
  process.on('exit', endedEarly);
  try {
    const config = readConfig(process.env, process.cwd(), Date.now());
    // What handlers print, and the commands that they start, have no use for it.
    delete process.env['PUNCTUAL_SECRET_KEY'];
    const out = process.stdout;
    const log = makeLog(config.logLevel, {
      person: out.isTTY,
      write: (line) => void out.write(line),
    });
    const registry = await loadRegistry(config, systemClock, { serves: true });
    const store = await openStore(config, systemClock, log);
    const dispatch = await dispatchFor(config, registry, log);
    const service = makeService(config, { registry, store, clock: systemClock, log, dispatch });

    let asked: number | undefined;
    const stop = (code: number): void => {
      // npm passes on a Ctrl-C that the terminal has sent here too: only a later one is impatience.
      if (asked !== undefined && systemClock.monotonic() - asked > 1000) process.exit(1);
      if (asked !== undefined) return;
      asked = systemClock.monotonic();
      log('info', 'stopping');
      void service.stop().then(() => process.exit(code));
    };
    guardProcess(log, () => stop(1));
    process.on('SIGTERM', () => stop(0));
    process.on('SIGINT', () => stop(0));
    void service.givenUp.then(() => stop(1));
    const address = await service.listen();
    process.off('exit', endedEarly);
    out.write(`Punctual is at ${address} with ${registry.size} jobs, ${forWhom(config.access)}\n`);
    collectAfterStart();
  } catch (error) {
    // Loaded only here: most starts go well.
    const { visible } = await import('../views/html.ts');
    const told = visible(describeError(error).message);
    process.off('exit', endedEarly);
    process.stderr.write(`Punctual can't start:\n${told.replaceAll(/^/gm, '  ')}\n`);
    process.exit(1);
  }
}

/** Loaded only where others carry the runs. */
async function dispatchFor(config: Config, registry: Registry, log: Log): Promise<Dispatch | null> {
  if (config.wake === 'timer') return null;
  const { openDispatch } = await import('./triggers/open-dispatch.ts');
  return openDispatch(config, registry, log);
}

const endedEarly = (): void => {
  process.stderr.write("Punctual can't start: a module of the jobs ended the process\n");
  process.exitCode = 1;
};

// Run by itself it starts too, but later than by start.js.
if (import.meta.main) await main();
