import { Link } from 'react-router';
import { useSeries, useTrends } from '~/api/trends';
import type { Counts } from '~/api/types';
import { useProject, useSearch } from '~/app/project';
import { Spark } from '~/components/Spark';
import { running } from '~/lib/histogram';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './Totals.module.css';

const totals = [
  ['/domains', t.nav.domains, 'domains'],
  ['/hosts', t.nav.hosts, 'hosts'],
  ['/ip-ranges', t.nav.ranges, 'ipRanges'],
  ['/ports', t.nav.ports, 'ports'],
  ['/websites', t.nav.websites, 'websites'],
  ['/findings', t.nav.findings, 'findings'],
] as const;

/** Totals is how much there is of everything, how much of it is new, and how it grew; each number leads to its list. */
export function Totals({ counts: c }: { counts: Counts }) {
  const [project] = useProject();
  const trends = useTrends(project).data;
  return (
    <div className={classes.totals}>
      {totals.map(([path, label, key]) => <Total key={path} path={path} label={label} n={c[key]} fresh={trends?.[key].new ?? 0} />)}
    </div>
  );
}

function Total({ path, label, n, fresh }: { path: string; label: string; n: number; fresh: number }) {
  const [project] = useProject();
  const search = useSearch();
  const series = useSeries(path, project).data;
  return (
    <Link to={{ pathname: path, search }} className={classes.total}>
      <span className={classes.label}>{label}</span>
      <span className={classes.value}>{count(n)}</span>
      <span className={classes.fresh}>{fresh > 0 ? t.dashboard.sinceDay(count(fresh)) : ' '}</span>
      {series && <Spark values={running(series.counts, n)} />}
    </Link>
  );
}
