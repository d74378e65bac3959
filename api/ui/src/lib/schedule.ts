// When subscriptions that go by the clock look next. The scheduler decides
// (matchers/rule/schedule.go); this only shows what it will do.
import { Cron } from 'croner';

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000 };

/** zoneOf is the time zone a subscription's document names; UTC when it names none. */
export function zoneOf(document: string): string {
  return /^timeZone:\s*["']?([\w+/-]+)/m.exec(document)?.[1] ?? 'UTC';
}

/** everyOf is the length of "@every 1h30m" in milliseconds. */
function everyOf(schedule: string): number | undefined {
  const text = /^@every\s+((?:\d+(?:\.\d+)?[hms])+)$/.exec(schedule.trim())?.[1];
  return text?.match(/\d+(?:\.\d+)?[hms]/g)?.reduce((n, p) => n + Number(p.slice(0, -1)) * (units[p.slice(-1)] ?? 0), 0);
}

/** ticks are the times after one and not after another when a schedule looks; [] for one that is not understood. */
export function ticks(schedule: string, zone: string, from: Date, to: Date, most = 500): Date[] {
  const every = everyOf(schedule);
  if (every) {
    // counted from 1970, as the scheduler does
    const first = Math.floor(from.getTime() / every + 1) * every;
    const n = Math.min(most, Math.max(0, Math.floor((to.getTime() - first) / every) + 1));
    return Array.from({ length: n }, (_, i) => new Date(first + i * every));
  }
  try {
    const cron = new Cron(schedule.replace(/^@midnight$/, '@daily').replace(/^@annually$/, '@yearly'), { timezone: zone, paused: true });
    const out: Date[] = [];
    for (let at = cron.nextRun(from); at && at <= to && out.length < most; at = cron.nextRun(at)) out.push(at);
    return out;
  } catch {
    return [];
  }
}

/** nextTick is the first time after one; the scheduler looks ahead five years, this only one. */
export const nextTick = (schedule: string, zone: string, from: Date): Date | undefined =>
  ticks(schedule, zone, from, new Date(from.getTime() + 366 * 86_400_000), 1)[0];

/** days are the beginnings of so many days, today's first, as the person's clock has them. */
export function days(n: number, now = new Date()): Date[] {
  return Array.from({ length: n }, (_, i) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + i));
}
