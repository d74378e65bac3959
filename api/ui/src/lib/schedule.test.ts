import { expect, it } from 'vitest';
import { days, within } from './schedule';

it('days begin at midnight', () => {
  const week = days(7, new Date(2026, 11, 29, 15, 30));
  expect(week[0]).toEqual(new Date(2026, 11, 29));
  expect(week[6]).toEqual(new Date(2027, 0, 4));
});

it('a time at midnight is one of the day that begins', () => {
  const [first, second, third] = ['2026-01-01', '2026-01-02', '2026-01-03'].map((d) => new Date(`${d}T00:00:00Z`)) as [Date, Date, Date];
  const at = ['2026-01-01T23:59:59Z', '2026-01-02T00:00:00Z'];
  expect(within(at, first, second)).toEqual([new Date(at[0]!)]);
  expect(within(at, second, third)).toEqual([second]);
});
