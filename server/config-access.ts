import type { GoogleConfig } from './config.ts';
import type { Reader } from './environment.ts';

/** How somebody may be known; several may hold at once. */
export const AUTH_MODES = ['loopback', 'tokens', 'iap', 'google'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** Who may look, and who may change things, beside those who trigger. */
export interface AccessConfig {
  /** None at all: nobody is let in. */
  readonly modes: readonly AuthMode[];
  /** E-mails, or domains as `@example.com`, of those whom Google vouches for. */
  readonly operators: readonly string[];
  readonly viewers: readonly string[];
  /** The audience of what Identity-Aware Proxy signs; null where it does not stand before us. */
  readonly iapAudience: string | null;
  /** Triggers a second that one sender may go on sending to one instance; 0 sets no limit. */
  readonly triggersPerSecond: number;
}

/** Reads who may do what; what is wrong goes to the reader's problems. */
export function readAccess(
  read: Reader,
  { host, google }: { readonly host: string; readonly google: GoogleConfig },
): AccessConfig {
  const one = 'e-mails, or domains such as @example.com, between commas';
  const modes = readModes(read, google);
  const access: AccessConfig = {
    modes,
    operators: read.list('PUNCTUAL_OPERATORS', PERSON, one),
    viewers: read.list('PUNCTUAL_VIEWERS', PERSON, one),
    iapAudience: read.maybe('PUNCTUAL_IAP_AUDIENCE', AUDIENCE, AUDIENCES),
    triggersPerSecond: read.whole('PUNCTUAL_TRIGGERS_PER_SECOND', 200, 0, 1_000_000),
  };
  read.problems.push(...halfSet(access, google), ...tooOpen(access, { host, google }));
  return access;
}

// In small letters: Google's e-mails are told apart without regard to capitals.
const PERSON = /^[a-z0-9._%+-]{0,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}$/;
const BEHIND = [
  'apps/[a-z0-9.:-]{1,63}',
  'locations/[a-z0-9-]{1,40}/services/[a-z0-9-]{1,63}',
  String.raw`global/backendServices/\d{1,20}`,
];
const AUDIENCE = new RegExp(String.raw`^/projects/\d{1,20}/(?:${BEHIND.join('|')})$`);
const AUDIENCES =
  '/projects/NUMBER/apps/PROJECT on App Engine, ' +
  '/projects/NUMBER/locations/REGION/services/SERVICE on Cloud Run, ' +
  '/projects/NUMBER/global/backendServices/ID behind a load balancer';

function readModes(read: Reader, { platform }: GoogleConfig): readonly AuthMode[] {
  const known: readonly string[] = AUTH_MODES;
  const words = read.list('PUNCTUAL_AUTH', /^[a-z]{1,20}$/, `some of ${AUTH_MODES.join(', ')}`);
  const wrong = words.find((word) => !known.includes(word));
  if (wrong !== undefined) {
    const right = `right would be some of ${AUTH_MODES.join(', ')}`;
    read.problems.push(`PUNCTUAL_AUTH has "${wrong}"; ${right}, between commas`);
  }
  if (words.length === 0) return platform === null ? ['loopback'] : [];
  return AUTH_MODES.filter((mode) => words.includes(mode));
}

/** What is set makes sense only with the rest of it. */
function halfSet({ modes, operators, viewers, iapAudience }: AccessConfig, google: GoogleConfig) {
  const vouched = modes.filter((mode) => mode === 'iap' || mode === 'google');
  const named = operators.length + viewers.length > 0;
  const missing = vouched
    .filter(() => !named)
    .map((mode) => `PUNCTUAL_AUTH has ${mode}, and needs PUNCTUAL_OPERATORS or PUNCTUAL_VIEWERS`);
  if (modes.includes('iap') && iapAudience === null) {
    missing.push('PUNCTUAL_AUTH has iap, and needs PUNCTUAL_IAP_AUDIENCE');
  }
  if (modes.includes('google') && google.serviceUrl === null) {
    missing.push(
      'PUNCTUAL_AUTH has google, and needs PUNCTUAL_SERVICE_URL, the audience of tokens',
    );
  }
  if (named && vouched.length === 0) {
    missing.push(
      'PUNCTUAL_OPERATORS and PUNCTUAL_VIEWERS name whom Google vouches for, and need iap or ' +
        'google in PUNCTUAL_AUTH',
    );
  }
  return missing;
}

/** On the network without a credential everybody would be let in, or nobody could be. */
function tooOpen(
  { modes }: AccessConfig,
  { host, google }: { readonly host: string; readonly google: GoogleConfig },
): string[] {
  if (google.platform !== null) {
    const why = 'there everything comes through a proxy on the same machine';
    return modes.includes('loopback')
      ? [`PUNCTUAL_AUTH has loopback, which says nothing on ${google.platform}: ${why}`]
      : [];
  }
  if (isLoopbackAddress(host) || modes.some((mode) => mode !== 'loopback')) return [];
  return [
    `HOST is ${host}, which others can reach, and no credentials are asked for: set ` +
      'PUNCTUAL_AUTH to tokens (npm run tokens -- --help), iap or google, ' +
      'or keep HOST at 127.0.0.1',
  ];
}

/** Who is answered, for whoever starts the service. */
export function forWhom({ modes }: Pick<AccessConfig, 'modes'>): string {
  if (modes.length === 0) return 'for nobody but those who trigger: PUNCTUAL_AUTH names no one';
  const words = {
    loopback: modes.length === 1 ? 'this machine alone' : 'this machine',
    tokens: 'those who have a token (npm run tokens)',
    iap: 'those whom Identity-Aware Proxy lets through',
    google: 'the accounts of Google that are named',
  };
  return `for ${modes.map((mode) => words[mode]).join(', ')}`;
}

/** Whether nobody but this machine can reach an address to listen on. */
export const isLoopbackAddress = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
