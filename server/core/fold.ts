import type { RunChange } from './draft.ts';
import type { Attempt, Note, Run } from './records.ts';
import { assertTransition, BrokenInvariant } from './run.ts';
import type { RunUpdate } from './store.ts';
import { STAMP } from './time.ts';

/** The writes that a decision's changes come to: one a run, whatever happened to it. */
export interface Folded {
  readonly create: readonly Run[];
  readonly update: readonly RunUpdate[];
  /** Each run that was known or made, as it will be. */
  readonly after: ReadonlyMap<string, Run>;
}

type Change = Extract<RunChange, { kind: 'change' }>;

/**
 * The runs that must be read first: those whose attempts or notes change; with `all`, every one.
 */
export function runsNeeded(changes: readonly RunChange[], all: boolean): Set<string> {
  const created = new Set<string>();
  const needed = new Set<string>();
  for (const change of changes) {
    if (change.kind === 'create') created.add(change.run.id);
    else if (!created.has(change.id) && (all || touchesLists(change))) needed.add(change.id);
  }
  return needed;
}

const touchesLists = ({ open, close, notes }: Change): boolean =>
  open !== undefined || close !== undefined || notes !== undefined;

/**
 * Folds changes per run. `known` holds what `runsNeeded` asked for; undefined there means that the
 * run is not on record, and then it is made anew by `blank`, with a note saying so.
 */
export function foldRuns(
  changes: readonly RunChange[],
  known: ReadonlyMap<string, Run | undefined>,
  blank: (id: string) => Run,
): Folded {
  const create = new Set<string>();
  const after = new Map<string, Run>();
  const updates = new Map<string, RunUpdate['set']>();
  for (const change of changes) {
    if (change.kind === 'create') {
      create.add(change.run.id);
      after.set(change.run.id, change.run);
      continue;
    }
    const { id, set } = change;
    if (set.state !== undefined) assertTransition(id, change.from, set.state);
    const missing = known.has(id) && known.get(id) === undefined && !after.has(id);
    if (missing) create.add(id);
    const before = missing ? remade(blank(id)) : (after.get(id) ?? known.get(id));
    const fields = before === undefined ? set : { ...set, ...lists(before, change) };
    if (before !== undefined) after.set(id, { ...before, ...fields });
    updates.set(id, { ...updates.get(id), ...fields });
  }
  const update = [...updates].filter(([id]) => !create.has(id)).map(([id, set]) => ({ id, set }));
  return { create: [...after.values()].filter(({ id }) => create.has(id)), update, after };
}

const remade = (run: Run): Run => ({
  ...run,
  notes: [{ at: STAMP, text: 'its record was missing from the store and was made anew' }],
});

/** The run's attempts and notes as they will be. */
function lists(run: Run, { open, close, notes }: Change): Partial<Pick<Run, 'attempts' | 'notes'>> {
  const closed = run.attempts.map((attempt) => {
    if (attempt.attemptId !== close?.attemptId) return attempt;
    if (attempt.endedAt !== null) {
      throw new BrokenInvariant(`attempt ${attempt.n} of run "${run.id}" ended twice`);
    }
    return { ...attempt, ...close, endedAt: STAMP };
  });
  const attempts = briefed(open === undefined ? closed : [...closed, open]);
  return {
    ...((open !== undefined || close !== undefined) && { attempts }),
    ...(notes !== undefined && { notes: noted(run, notes) }),
  };
}

/**
 * A run that was tried a hundred times must fit into one record: of its older attempts the error is
 * kept in short.
 */
function briefed(attempts: readonly Attempt[]): Attempt[] {
  return attempts.map((attempt, i) => {
    const { error } = attempt;
    if (error === null || i >= attempts.length - TOLD_WHOLE) return attempt;
    const { name, message } = error;
    const short = message.length <= BRIEF ? message : `${message.slice(0, BRIEF)}…`;
    return { ...attempt, error: { name, message: short, stack: null } };
  });
}

const TOLD_WHOLE = 5;
const BRIEF = 300;

/** A beat whose reply was lost brings its note again: what was said last is not said twice. */
function noted(run: Run, notes: readonly Note[]): Note[] {
  const last = run.notes.at(-1)?.text;
  return [...run.notes, ...notes.filter(({ text }) => text !== last)].slice(-NOTES_LIMIT);
}

/** Notes say what a person must know about a run; this many tell it. */
const NOTES_LIMIT = 50;
