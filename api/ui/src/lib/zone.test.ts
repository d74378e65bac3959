import { expect, it } from 'vitest';
import { days } from './schedule';
import { instant, wall } from './zone';

it.each([
  ['UTC', '2026-03-01T12:00:00.250Z', '2026-03-01T12:00:00.250Z'],
  ['Asia/Kolkata', '2026-03-01T12:00:00.000Z', '2026-03-01T17:30:00.000Z'],
  ['America/New_York', '2026-03-01T02:00:00.000Z', '2026-02-28T21:00:00.000Z'],
  ['Europe/Paris', '2026-07-01T12:00:00.000Z', '2026-07-01T14:00:00.000Z'],
  // the night before and after the clock is changed
  ['Europe/Paris', '2026-03-29T00:59:59.000Z', '2026-03-29T01:59:59.000Z'],
  ['Europe/Paris', '2026-03-29T01:00:00.000Z', '2026-03-29T03:00:00.000Z'],
])('knows what a clock of %s shows at %s', (zone, at, shows) => {
  expect(new Date(wall(Date.parse(at), zone)).toISOString()).toBe(shows);
  expect(new Date(instant(Date.parse(shows), zone)).toISOString()).toBe(at);
});

it('begins days where the zone does, also when one has 23 hours', () => {
  const at = days(3, new Date('2026-03-28T23:30:00Z'), 'Europe/Paris').map((d) => d.toISOString());
  expect(at).toEqual(['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z', '2026-03-30T22:00:00.000Z']);
});
