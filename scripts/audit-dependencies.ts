/**
 * Asks the registry whether anything is known against what the service is deployed with: the
 * packages in package-lock.json, without those for development. Changes nothing.
 *
 *   npm run audit:dependencies                         # low, moderate, high or critical
 *   npm run audit:dependencies -- --level high         # high or critical
 *
 * Prints each package with what is known, and where to read more. Exits 0 where there is nothing of
 * that level, 1 where there is, 2 where the registry could not be asked: then nothing is known.
 */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { visible } from '../views/html.ts';
import { fail } from './open.ts';
import { oneOf, usageOf } from './usage.ts';

const LEVELS = ['low', 'moderate', 'high', 'critical'] as const;
type Level = (typeof LEVELS)[number];

/** As npm tells it; of what is not there nothing is said. */
interface Report {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerable>>;
  readonly metadata?: { readonly dependencies?: { readonly prod?: number } };
  /** In place of the others, where it could not ask. */
  readonly message?: string;
}

interface Vulnerable {
  readonly name: string;
  readonly severity: string;
  /** What is known, or the names of the packages that bring it along. */
  readonly via: readonly (string | Advisory)[];
}

interface Advisory {
  readonly title: string;
  readonly url: string;
  /** Of versions. */
  readonly range: string;
}

process.exitCode = await main().catch(fail);

async function main(): Promise<number> {
  const options = { level: { type: 'string', default: 'low' }, help: { type: 'boolean' } } as const;
  let level: Level;
  try {
    const { values } = parseArgs({ options });
    if (values.help === true) {
      console.log(usageOf('audit-dependencies.ts'));
      return 0;
    }
    level = oneOf(values.level, 'level', LEVELS);
  } catch (error) {
    return fail(error);
  }
  const report = await ask();
  const { vulnerabilities } = report;
  if (vulnerabilities === undefined) {
    console.error(
      `The registry could not be asked, so nothing is known: ${visible(String(report.message))}`,
    );
    return 2;
  }
  const found = Object.values(vulnerabilities).filter((one) => reaches(one.severity, level));
  for (const one of found) for (const line of linesOf(one)) console.log(visible(line));
  const count = report.metadata?.dependencies?.prod ?? 'all';
  console.log(`${count} packages for production: ${found.length} with known faults of ${level} up`);
  return found.length === 0 ? 0 : 1;
}

/** A severity that is not known counts as the worst. */
function reaches(severity: string, level: Level): boolean {
  const rank = LEVELS.findIndex((one) => one === severity);
  return rank < 0 ? severity !== 'info' : rank >= LEVELS.indexOf(level);
}

function linesOf({ name, severity, via }: Vulnerable): string[] {
  const known = via.map((one) => (typeof one === 'string' ? `through ${one}` : told(one)));
  return [`${name}: ${severity}`, ...known.map((text) => `  ${text}`)];
}

function told({ title, url, range }: Advisory): string {
  return `${title}, in ${range} (${url})`;
}

/** npm reads the lock file alone, so it does not matter what is installed. */
function ask(): Promise<Report> {
  const words = ['audit', '--omit=dev', '--package-lock-only', '--json', '--fetch-retries=1'];
  const cwd = resolve(import.meta.dirname, '..');
  const limit = { maxBuffer: 64 * 1024 * 1024, timeout: 120_000 };
  return new Promise((done) => {
    execFile('npm', words, { cwd, ...limit }, (error, stdout, stderr) => {
      done(parsed(stdout) ?? { message: stderr.trim() || (error?.message ?? 'npm said nothing') });
    });
  });
}

function parsed(text: string): Report | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
