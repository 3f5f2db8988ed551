import { defineJob, type Job, type JobContext } from '../server/core/job.ts';

/** What handlers of a demonstration are made with: work takes time, but nobody waits for it. */
export interface World {
  /** Lets this much time pass. */
  work(ms: number): void;
  now(): number;
}

/** The pictures are for everybody; the paths of the machine that took them are not. */
function failure(message: string): Error {
  const error = new Error(message);
  error.stack = '';
  return error;
}

/** Waits until it is told to stop. */
const forEver = ({ signal }: JobContext): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

const newsletter = () => ({
  type: 'object',
  required: ['subject'],
  properties: {
    subject: { type: 'string', minLength: 3, description: 'What stands in the mail' },
    audience: { enum: ['everybody', 'customers', 'staff'], default: 'staff' },
    limit: { type: 'integer', minimum: 1, default: 500 },
    test: { type: 'boolean', default: true, description: 'Nobody outside gets it' },
  },
});

/** As a library would make it; whatever follows Standard Schema will do. */
const NEWSLETTER = {
  '~standard': {
    version: 1,
    vendor: 'demo',
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: newsletter, output: newsletter },
  },
} as const;

/** The jobs of a small company, some of which go wrong now and then. */
export function demoJobs(world: World): Job[] {
  const counts = new Map<string, number>();
  /** How many times this one has been called, this one included. */
  const nth = (name: string): number => {
    const n = (counts.get(name) ?? 0) + 1;
    counts.set(name, n);
    return n;
  };
  const work = (ms: number): void => world.work(ms);
  const quick = (name: string, ms: number) => () => work(ms + ((nth(name) * 631) % ms));
  return [
    defineJob({
      name: 'nightly-report',
      description: 'Mails yesterday’s figures to the board.',
      tags: ['finance'],
      schedule: '0 2 * * *',
      timeZone: 'Europe/London',
      retry: { attempts: 2, backoff: { from: '20s', jitter: 0 } },
      run: ({ log, attempt }) => {
        log('reading the orders of yesterday');
        work(2600);
        log.warn('the warehouse answers slowly', { attempt });
        work(1400);
        throw failure('could not reach mail.example.com:587 (connection refused)');
      },
    }),
    defineJob({
      name: 'sync-orders',
      description: 'Brings new orders over from the shop.',
      tags: ['shop'],
      schedule: '*/5 * * * *',
      timeout: '4m',
      run: ({ log, progress }) => {
        log('asked the shop for new orders');
        const n = nth('sync-orders');
        work(900 + ((n * 631) % 2600));
        if (n % 97 !== 60) return { orders: 10 + ((n * 7) % 23) };
        progress(12, 40);
        log.error('the shop answered 503', { page: 12 });
        throw failure('the shop did not answer: 503 Service Unavailable');
      },
    }),
    defineJob({
      name: 'fetch-rates',
      description: 'Exchange rates for the price list.',
      tags: ['finance', 'shop'],
      schedule: '10 * * * *',
      retry: { attempts: 3, backoff: { from: '30s', jitter: 0 } },
      run: ({ log, attempt }) => {
        work(700);
        if (attempt < 2 && nth('fetch-rates') % 5 === 1) {
          throw failure('the bank closed the connection');
        }
        log('rates are there', { pairs: 31 });
        return { pairs: 31 };
      },
    }),
    defineJob({
      name: 'backup-database',
      description: 'Copies the shop’s database to another place.',
      tags: ['operations'],
      schedule: '30 3 * * *',
      timeZone: 'Europe/London',
      run: quick('backup-database', 18_000),
    }),
    defineJob({
      name: 'import-prices',
      description: 'Prices of the supplier.',
      tags: ['shop'],
      schedule: '20 */2 * * *',
      run: quick('import-prices', 4000),
    }),
    defineJob({
      name: 'check-stock',
      tags: ['shop'],
      description: 'Orders what runs low.',
      schedule: '*/15 * * * *',
      run: quick('check-stock', 1500),
    }),
    defineJob({
      name: 'rotate-logs',
      tags: ['operations'],
      schedule: 'H * * * *',
      run: quick('rotate-logs', 300),
    }),
    defineJob({
      name: 'erase-old-customers',
      description: 'As the law wants it.',
      tags: ['law'],
      schedule: '0 5 * * 1',
      timeZone: 'Europe/London',
      run: quick('erase-old-customers', 9000),
    }),
    defineJob({
      name: 'invoices',
      description: 'Makes and sends the invoices of the month.',
      tags: ['finance'],
      schedule: '0 6 L * *',
      timeZone: 'Europe/London',
      run: quick('invoices', 20_000),
    }),
    defineJob({
      name: 'canary',
      description: 'Proves the whole path and measures lateness.',
      tags: ['operations'],
      schedule: '* * * * *',
      run: () => work(3),
    }),
    defineJob({
      name: 'send-newsletter',
      description: 'To everybody who wants it, or to some.',
      tags: ['shop'],
      input: NEWSLETTER,
      run: () => {
        work(5200);
        return { sent: 212 };
      },
    }),
    defineJob({
      name: 'rebuild-search',
      description: 'Indexes the catalogue anew; only when asked to.',
      tags: ['shop', 'slow'],
      run: (context) => {
        context.log('reading the catalogue');
        context.log('4,200 products, 1,300 of them new', { language: 'en' });
        context.progress(1300, 4200);
        return forEver(context);
      },
    }),
  ];
}
