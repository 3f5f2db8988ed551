import { expect, test } from 'vitest';
import { roleOf } from '../../../server/http/identity/people.ts';

const LISTS = {
  operators: ['ada@example.com', '@ops.example.com', '@shop.iam.gserviceaccount.com'],
  viewers: ['bob@example.org', '@example.com'],
};

test.each([
  ['ada@example.com', 'example.com', 'operator'],
  ['ADA@Example.com', 'Example.com', 'operator'],
  ['eve@example.com', 'example.com', 'viewer'],
  ['any@ops.example.com', 'ops.example.com', 'operator'],
  ['bob@example.org', null, 'viewer'],
  ['deployer@shop.iam.gserviceaccount.com', null, 'operator'],
  // Anybody may open an account of Google's under an e-mail of a domain that is not theirs.
  ['eve@example.com', null, undefined],
  ['eve@example.com', 'example.org', undefined],
  ['eve@sub.example.com', 'sub.example.com', undefined],
  ['eve@evil-example.com', 'evil-example.com', undefined],
  ['ada@example.com.evil.example', null, undefined],
  ['', null, undefined],
])('%j of the domain %j: %s', (email, domain, role) => {
  expect(roleOf({ email, domain }, LISTS)).toBe(role);
});
