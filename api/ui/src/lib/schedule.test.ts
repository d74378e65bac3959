import { describe, expect, it } from 'vitest';
import { days, nextTick, ticks, zoneOf } from './schedule';

const at = (s: string) => new Date(s);
const iso = (d: Date[]) => d.map((x) => x.toISOString());

describe('ticks', () => {
  it.each([
    ['0 3 * * *', 'UTC', '2026-01-01T04:00:00Z', '2026-01-02T03:00:00.000Z'],
    ['0 3 * * *', 'Europe/Berlin', '2026-01-01T04:00:00Z', '2026-01-02T02:00:00.000Z'],
    ['0 3 * * *', 'Europe/Berlin', '2026-07-01T04:00:00Z', '2026-07-02T01:00:00.000Z'],
    ['30 0 3 * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T03:00:30.000Z'],
    ['@daily', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['@midnight', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['0 0 1,15 * 1', 'UTC', '2026-01-01T00:00:00Z', '2026-01-05T00:00:00.000Z'],
    ['@every 6h', 'UTC', '2026-01-01T01:00:00Z', '2026-01-01T06:00:00.000Z'],
    ['@every 1h30m', 'UTC', '2026-01-01T01:00:00Z', '2026-01-01T01:30:00.000Z'],
  ])('%s in %s after %s', (schedule, zone, from, want) => expect(nextTick(schedule, zone, at(from))?.toISOString()).toBe(want));

  it('are counted from 1970, as the scheduler does', () => {
    // a Thursday: that was one
    expect(nextTick('@every 168h', 'UTC', at('2026-01-02T00:00:00Z'))?.toISOString()).toBe('2026-01-08T00:00:00.000Z');
  });

  it('of a stretch end with it', () => {
    expect(iso(ticks('0 */12 * * *', 'UTC', at('2026-01-01T00:00:00Z'), at('2026-01-02T00:00:00Z')))).toEqual(['2026-01-01T12:00:00.000Z', '2026-01-02T00:00:00.000Z']);
    expect(ticks('* * * * *', 'UTC', at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'), 7)).toHaveLength(7);
  });

  it.each(['', 'often', '99 * * * *', '@every', '@every 0s'])('of %j are none', (s) => expect(ticks(s, 'UTC', at('2026-01-01T00:00:00Z'), at('2026-01-02T00:00:00Z'))).toEqual([]));
  it('of a zone that is none are none', () => expect(ticks('0 3 * * *', 'Nowhere/Else', at('2026-01-01T00:00:00Z'), at('2026-01-09T00:00:00Z'))).toEqual([]));
});

it('zones are read from documents', () => {
  expect(zoneOf('name: x\ntimeZone: "Europe/Berlin" # ours\n')).toBe('Europe/Berlin');
  expect(zoneOf('name: x\njob:\n  timeZone: no\n')).toBe('UTC');
});

it('days begin at midnight', () => {
  const week = days(7, new Date(2026, 11, 29, 15, 30));
  expect(week[0]).toEqual(new Date(2026, 11, 29));
  expect(week[6]).toEqual(new Date(2027, 0, 4));
});
