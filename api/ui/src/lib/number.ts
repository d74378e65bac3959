const full = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (n: number) => full.format(n);
export const compact = (n: number) => (n < 10_000 ? full.format(n) : short.format(n));
