import { expect, it } from 'vitest';
import { ofGo, running, stretches } from './histogram';

it('reads lengths of time as Go writes them', () => {
  expect([ofGo('1h0m0s'), ofGo('24h0m0s'), ofGo('90s'), ofGo('')]).toEqual([3_600_000, 86_400_000, 90_000, 0]);
});

it('fills the gaps', () => {
  const bars = [{ at: '2026-01-01T02:00:00Z', n: 3 }, { at: '2026-01-01T04:00:00Z', n: 1 }];
  const all = stretches(bars, '1h0m0s', '2026-01-01T00:30:00Z', '2026-01-01T05:10:00Z');
  expect(all.map((b) => b.n)).toEqual([0, 3, 0, 1, 0]);
  expect(stretches(bars, '', '2026-01-01T00:30:00Z', '2026-01-01T05:10:00Z')).toEqual(bars);
});

it('counts back from now', () => {
  expect(running([1, 0, 2], 5)).toEqual([3, 3, 5]);
  expect(running([4], 3)).toEqual([3]);
});
