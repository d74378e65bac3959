// Times as people read them, in the time zone they chose. The exact time is always a hover away.

import { instant, wall, zone } from './zone';

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });
const long = new Intl.RelativeTimeFormat('en', { numeric: 'always' });
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: zone });

/** ago says how long before now a time was. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? 'just now' : relative.format(Math.trunc(seconds), 'second');
}

/** until says how long after now a time is. */
export function until(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const unit = units.find(([, size]) => seconds >= size);
  return unit ? long.format(Math.trunc(seconds / unit[1]), unit[0]) : long.format(Math.max(1, Math.trunc(seconds)), 'second');
}

export const exactly = (iso: string) => exact.format(new Date(iso));
export const onDay = (iso: string) => day.format(new Date(iso));

/** clock is the time of day with milliseconds, for logs. */
export function clock(iso: string): string {
  const d = new Date(iso);
  return `${d.toLocaleTimeString('en-GB', { timeZone: zone })}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** duration says how long something took: 840 ms, 4.2 s, 3 min 05 s, 2 h 10 min. */
export function duration(from: string, to: string | number): string {
  const ms = (typeof to === 'number' ? to : Date.parse(to)) - Date.parse(from);
  if (!Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s.toFixed(1)} s`;
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two((s % 3600) / 60)} min`;
}

/** daysUntil counts whole days; negative is past. */
export function daysUntil(iso: string, now = Date.now()): number {
  return Math.floor((Date.parse(iso) - now) / 86_400_000);
}

/** toLocal is a time as a field for local times takes it. */
export function toLocal(iso: string): string {
  const d = new Date(iso);
  return Number.isNaN(d.getTime()) ? '' : new Date(wall(d.getTime())).toISOString().slice(0, 16);
}

/** fromLocal is the time such a field means, '' for none. */
export const fromLocal = (text: string) => (text ? new Date(instant(Date.parse(`${text}Z`))).toISOString() : '');
