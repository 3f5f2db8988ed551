import { FOUND } from '../simulation/found.ts';
import { PLANTED } from '../simulation/planted.ts';
import { plantFault } from '../simulation/planting.ts';
import { ON_PROCESSES } from './planted.ts';

/** Loaded into a server before its own modules, this plants the fault that CHAOS_FAULT names. */

export const FAULTS = [...PLANTED, ...FOUND, ...ON_PROCESSES].filter(({ edits }) =>
  edits.every(({ file }) => file !== 'server/stores/memory.ts'),
);

const name = process.env['CHAOS_FAULT'];
const fault = FAULTS.find((one) => one.name === name);
if (fault !== undefined) plantFault(fault);
