import { useEffect, useState } from 'react';
import { ago, duration, exactly } from '~/lib/time';

/** useNow ticks, so that what is relative to now stays right. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** When is a time as "5 min ago", with the exact time a hover away. */
export function When({ at }: { at?: string }) {
  const now = useNow(20_000);
  if (!at) return <span className="faint">–</span>;
  return <time dateTime={at} title={exactly(at)} className="num">{ago(at, now)}</time>;
}

/** Took is how long something took, or has been taking. */
export function Took({ from, to }: { from?: string; to?: string }) {
  const now = useNow(to ? 60_000 : 1000);
  if (!from) return <span className="faint">–</span>;
  return <span className="num">{duration(from, to ?? now)}</span>;
}
