import { pathToFileURL } from 'node:url';
import type { Config } from './config.ts';
import { describeError } from './core/outcome.ts';
import { checkInputs, readRegistry, RegistryProblems, type Registry } from './core/registry.ts';

/**
 * Imports the module that lists the jobs. Throws `RegistryProblems` with all that is wrong in it.
 */
export async function loadRegistry(config: Config): Promise<Registry> {
  const module: object = await import(pathToFileURL(config.jobs).href).catch((error: unknown) => {
    const { message } = describeError(error);
    throw new RegistryProblems([`the registry ${config.jobs} can't be imported: ${message}`]);
  });
  const registry = readRegistry(Reflect.get(module, 'default'), config.timing);
  await checkInputs(registry);
  return registry;
}
