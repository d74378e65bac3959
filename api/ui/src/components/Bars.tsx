import { exactly } from '~/lib/time';
import classes from './Bars.module.css';

interface Props {
  label: string;
  bars: { at: string; n: number }[];
  height?: number;
}

/** Bars is a small chart of how much there was when. */
export function Bars({ label, bars, height = 72 }: Props) {
  const most = Math.max(1, ...bars.map((b) => b.n));
  return (
    <div className={classes.bars} style={{ height }} role="img" aria-label={label}>
      {bars.map((b) => <span key={b.at} style={{ height: `${(b.n / most) * 100}%` }} data-none={b.n === 0 || undefined} title={`${exactly(b.at)}: ${b.n}`} />)}
    </div>
  );
}
