import { pathToFileURL } from 'node:url';
import type { Config } from './config.ts';
import { describeError } from './core/outcome.ts';
import { checkInputs, readRegistry, RegistryProblems, type Registry } from './core/registry.ts';
import { sleep, type Clock } from './core/time.ts';

/** A module that takes longer than this to import never ends. */
const IMPORT_WITHIN_MS = 30_000;

/**
 * Imports the module that lists the jobs. Throws `RegistryProblems` with all that is wrong in it;
 * who only looks (`serves` is false) needs no key for their secrets.
 */
export async function loadRegistry(
  config: Config,
  clock: Clock,
  { serves }: { readonly serves: boolean } = { serves: false },
): Promise<Registry> {
  const imported = new AbortController();
  const tooLate = sleep(clock, IMPORT_WITHIN_MS, imported.signal).then(() => undefined);
  const module: object | undefined = await Promise.race([importJobs(config.jobs), tooLate]);
  imported.abort();
  if (module === undefined) {
    const limit = IMPORT_WITHIN_MS / 1000;
    throw new RegistryProblems([`the registry ${config.jobs} took over ${limit} s to be imported`]);
  }
  const registry = readRegistry(Reflect.get(module, 'default'), config.timing, config.pace);
  await checkInputs(registry, { clock, keyed: !serves || config.cipher !== null });
  return registry;
}

async function importJobs(path: string): Promise<object> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const { message, stack } = describeError(error);
    // Of a mistake in the text Node says first where it is; frames of its own loader say nothing.
    const where = (stack ?? '')
      .split('\n')
      .filter((line) => !/^\s+at (?:node:|.*node:)/.test(line));
    const told = error instanceof SyntaxError ? where.slice(0, 5).join('\n') : message;
    throw new RegistryProblems([`the registry ${path} can't be imported: ${told}`]);
  }
}
