// Days as the person's clock has them. When subscriptions look, the server says.
import { instant, wall, zone } from './zone';

const day = 86_400_000;

/** days are the beginnings of so many days, today's first. */
export function days(n: number, now = new Date(), of = zone): Date[] {
  const today = Math.floor(wall(now.getTime(), of) / day) * day;
  return Array.from({ length: n }, (_, i) => new Date(instant(today + i * day, of)));
}

/** within are the times from one up to another, which is not among them. */
export const within = (at: string[], from: Date, to: Date): Date[] => at.map((x) => new Date(x)).filter((x) => x >= from && x < to);
