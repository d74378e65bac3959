const full = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (n: number) => full.format(n);
export const compact = (n: number) => (n < 10_000 ? full.format(n) : short.format(n));

/** size is how large a file is. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  let n = bytes / 1000;
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}
