// Bars for every stretch of time, those in which nothing happened too.

const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000 };

/** ofGo reads a length of time as Go writes it: 1h0m0s. */
export const ofGo = (text: string) =>
  [...text.matchAll(/([\d.]+)(h|m|s)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? 0), 0);

/** stretches puts an empty bar where none is, at most 400 altogether. */
export function stretches(bars: { at: string; n: number }[], step: string, from: string, to: string): { at: string; n: number }[] {
  const width = ofGo(step);
  const first = Date.parse(bars[0]?.at ?? from);
  const begin = width > 0 ? first - Math.floor((first - Date.parse(from)) / width) * width : first;
  const length = Math.floor((Date.parse(to) - begin) / width) + 1;
  if (!Number.isFinite(length) || length <= 0 || length > 400) return bars;
  const known = new Map(bars.map((b) => [Date.parse(b.at), b.n]));
  return Array.from({ length }, (_, i) => ({ at: new Date(begin + i * width).toISOString(), n: known.get(begin + i * width) ?? 0 }));
}

/** running is how many there were at the end of each stretch, told from how many came and how many there are. */
export function running(came: number[], now: number): number[] {
  let n = now - came.reduce((a, b) => a + b, 0);
  return came.map((c) => Math.max(0, (n += c)));
}
