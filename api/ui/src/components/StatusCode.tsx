/** StatusCode is an HTTP status, coloured by its class. */
export function StatusCode({ code }: { code?: number }) {
  if (!code) return <span className="faint">–</span>;
  const tones: Record<number, string> = { 2: 'var(--good)', 3: 'var(--busy)', 4: 'var(--warn)', 5: 'var(--bad)' };
  return <span className="mono" style={{ color: tones[Math.floor(code / 100)] }}>{code}</span>;
}
