import type { Command, Flag, Word } from './command.ts';

export interface Entry {
  readonly takes: readonly (Word | Flag)[];
  /** Loads what it is made of: some of that takes long, and no command needs all of it. */
  readonly load: () => Promise<Command>;
}

const START = ['key', 'overlap', 'wait', 'follow', 'json'] as const;
const lists = () => import('./lists.ts');
const changes = () => import('./changes.ts');
const start = () => import('./start.ts');

/** Every command by its name. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  list: { takes: ['json'], load: async () => (await import('./list.ts')).list },
  runs: {
    takes: ['state', 'trigger', 'since', 'until', 'limit', 'json'],
    load: async () => (await lists()).runs,
  },
  show: { takes: ['json'], load: async () => (await import('./show.ts')).show },
  logs: {
    takes: ['follow', 'limit', 'json'],
    load: async () => (await import('./logs.ts')).logs,
  },
  trigger: { takes: ['input', ...START], load: async () => (await start()).trigger },
  rerun: { takes: START, load: async () => (await start()).rerun },
  cancel: { takes: ['json'], load: async () => (await changes()).cancel },
  free: { takes: ['json'], load: async () => (await changes()).free },
  pause: { takes: ['note', 'until', 'json'], load: async () => (await changes()).pause },
  resume: { takes: ['json'], load: async () => (await changes()).resume },
  backfill: { takes: ['from', 'to', 'key', 'json'], load: async () => (await start()).backfill },
  backfills: { takes: ['json'], load: async () => (await lists()).backfills },
  upcoming: { takes: ['until', 'limit', 'json'], load: async () => (await lists()).upcoming },
  actions: { takes: ['limit', 'json'], load: async () => (await lists()).actions },
  system: { takes: ['json'], load: async () => (await import('./show.ts')).system },
  next: { takes: ['count'], load: async () => (await import('./local.ts')).next },
  run: { takes: ['input'], load: async () => (await import('./local.ts')).run },
  adopt: { takes: [], load: async () => (await import('./stored.ts')).adopt },
  'reset-clock': { takes: [], load: async () => (await import('./stored.ts')).resetClock },
};
