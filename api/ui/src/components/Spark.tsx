import classes from './Spark.module.css';

/** Spark is a line that says whether something grew; the numbers stand elsewhere. */
export function Spark({ values }: { values: number[] }) {
  if (values.length < 2) return null;
  const most = Math.max(1, ...values);
  const x = (i: number) => (i / (values.length - 1)) * 100;
  const y = (v: number) => 23 - (v / most) * 22;
  const line = values.map((v, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  return (
    <svg className={classes.spark} viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden>
      <path d={`${line}L100 24L0 24Z`} className={classes.area} />
      <path d={line} className={classes.line} />
    </svg>
  );
}
