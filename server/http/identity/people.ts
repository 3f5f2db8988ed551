import type { AccessConfig } from '../../config-access.ts';
import type { Role } from '../caller.ts';

/** Whom Google vouches for. */
export interface Vouched {
  readonly email: string;
  /** The domain that its account belongs to; null where nobody said so. */
  readonly domain: string | null;
}

/**
 * The role of an account by its e-mail, or by its domain; undefined for one that has none. An
 * e-mail of a domain is not yet an account of it: anybody may open a Google account under a foreign
 * e-mail, and keep it when that is taken away.
 */
export function roleOf(
  { email, domain }: Vouched,
  { operators, viewers }: Pick<AccessConfig, 'operators' | 'viewers'>,
): Role | undefined {
  const name = email.toLowerCase();
  const at = name.slice(name.lastIndexOf('@'));
  const isMember = domain !== null ? `@${domain.toLowerCase()}` === at : isServiceAccount(name);
  const isNamed = (list: readonly string[]): boolean =>
    list.includes(name) || (isMember && list.includes(at));
  if (isNamed(operators)) return 'operator';
  return isNamed(viewers) ? 'viewer' : undefined;
}

/** Nobody but Google makes such names. */
const isServiceAccount = (email: string): boolean => email.endsWith('.gserviceaccount.com');
