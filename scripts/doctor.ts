/**
 * Looks a deployment over: its code, its settings, its store, who wakes it and whom it answers.
 * Says of each finding what to do about it, and changes nothing.
 *
 *   npm run doctor                             by the environment as it is
 *   npm run doctor -- --app-yaml app.yaml      as on App Engine: with the variables of this file
 *   npm run doctor -- --cloud-run              as on Cloud Run, by the environment as it is
 *
 *   --offline         only what needs no network
 *   --per-job long    the choice that npm run scheduler:sync was made with
 *   --json            for programs
 *
 * Exit status: 0 all is well, 1 there are findings, 2 the command can't be carried out.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigProblems, readConfig, type Config } from '../server/config.ts';
import { systemClock } from '../server/process/clock.ts';
import { PER_JOB, type PerJob } from '../server/triggers/scheduler-wanted.ts';
import { visible } from '../views/html.ts';
import { accessFindings, jobFindings, machineFindings, placeFindings } from './doctor-code.ts';
import { bad, findingLines, skip, summaryOf, type Finding, type Group } from './doctor-finding.ts';
import { storeFindings, storeSkipped } from './doctor-store.ts';
import { wakeFindings } from './doctor-wake.ts';
import { fail } from './open.ts';
import { BadUsage, oneOf, usageOf } from './usage.ts';

try {
  await main();
} catch (error) {
  fail(error);
}

interface Options {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  readonly json: boolean;
  readonly perJob: PerJob;
}

async function main(): Promise<void> {
  const options = readArguments();
  if (options === undefined) return console.log(usageOf('doctor.ts'));
  const groups = await examine(options);
  const findings = groups.flatMap((group) => group.findings);
  const well = findings.every(({ mark }) => mark === 'ok' || mark === 'skip');
  if (options.json) {
    console.log(JSON.stringify({ well, findings }, null, 2));
  } else {
    for (const line of findingLines(groups)) console.log(visible(line));
    console.log(summaryOf(findings));
  }
  process.exitCode = well ? 0 : 1;
}

function readArguments(): Options | undefined {
  const { values } = parseArgs({
    options: {
      'app-yaml': { type: 'string' },
      'cloud-run': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      offline: { type: 'boolean', default: false },
      'per-job': { type: 'string', default: 'long' },
    },
  });
  if (values.help) return undefined;
  const perJob = oneOf(values['per-job'], 'per-job', PER_JOB);
  const file = values['app-yaml'];
  const onCloudRun = values['cloud-run'];
  if (file !== undefined && onCloudRun) {
    throw new BadUsage('--app-yaml is for App Engine and --cloud-run is not: give one of them');
  }
  const env = {
    ...process.env,
    ...(onCloudRun && { K_SERVICE: 'punctual' }),
    ...(file !== undefined && { ...variablesOf(readFileSync(file, 'utf8')), GAE_ENV: 'standard' }),
  };
  return { env, perJob, offline: values.offline, json: values.json };
}

/** What an app.yaml sets under `env_variables`: one a line, its text with or without quotes. */
function variablesOf(yaml: string): Record<string, string> {
  const lines = yaml.split('\n');
  const from = lines.findIndex((line) => line.startsWith('env_variables:'));
  if (from < 0) return {};
  const block = lines.slice(from + 1);
  const end = block.findIndex((line) => /^[^\s#]/.test(line));
  const set = (end < 0 ? block : block.slice(0, end)).flatMap((line): [string, string][] => {
    const [, name, quoted, plain] =
      /^\s+(\w+):\s*(?:(["'].*["'])|(.*?))\s*(?:\s#.*)?$/.exec(line) ?? [];
    if (name === undefined) return [];
    return [[name, quoted?.slice(1, -1) ?? plain ?? '']];
  });
  return Object.fromEntries(set);
}

async function examine(options: Options): Promise<Group[]> {
  const { offline, perJob } = options;
  const now = Date.now();
  const { node, tz: zones } = process.versions;
  const machine = machineFindings({ node, zones, year: new Date(now).getUTCFullYear() });
  const read = configOf(options, now);
  if ('problems' in read) return [{ title: 'CODE', findings: [...machine, ...read.problems] }];

  const { config } = read;
  const { findings: jobs, registry } = await jobFindings(config);
  const why = 'not asked: --offline';
  const store = offline
    ? { findings: [skip('credentials', why), ...storeSkipped(why)], pauses: null }
    : await storeFindings(config, registry, systemClock);
  const { pauses } = store;
  return [
    { title: 'CODE', findings: [...machine, ...placeFindings(config), ...jobs] },
    { title: 'STORE', findings: store.findings },
    {
      title: 'WAKE-UPS',
      findings: await wakeFindings({ config, registry, pauses, perJob, offline, now }),
    },
    { title: 'WHO IS ANSWERED', findings: accessFindings(config) },
  ];
}

function configOf(
  { env }: Options,
  now: number,
): { readonly config: Config } | { readonly problems: readonly Finding[] } {
  try {
    return { config: readConfig(env, process.cwd(), now) };
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    const todo = 'put it right in the environment; .env.example explains each variable';
    const problems = error.message.split('\n').map((line) => bad('settings', line, todo));
    return { problems: [...problems, skip('all else', 'the settings have to be right first')] };
  }
}
