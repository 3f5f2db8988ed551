import { expect, test } from 'vitest';
import { jobUrl, runUrl, withQuery } from '../../views/urls.ts';

test('a name or an id is one part of its address, whatever it is', () => {
  expect(jobUrl('nightly', '/pause')).toBe('/jobs/nightly/pause');
  expect(runUrl('a/b?c#d\ud800')).toBe('/runs/a%2Fb%3Fc%23d%EF%BF%BD');
});

test('an address has what is asked for, and nothing of what is empty', () => {
  expect(withQuery('/runs', { q: 'state:failed "a&b"', cursor: '' })).toBe(
    '/runs?q=state%3Afailed+%22a%26b%22',
  );
  expect(withQuery('/runs', { q: '' })).toBe('/runs');
});
