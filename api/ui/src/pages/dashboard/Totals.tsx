import { Link } from 'react-router';
import type { Counts } from '~/api/types';
import { useSearch } from '~/app/project';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './Totals.module.css';

/** Totals is how much there is of everything, each number leading to its list. */
export function Totals({ counts: c }: { counts: Counts }) {
  const search = useSearch();
  const totals = [
    ['/domains', t.nav.domains, c.domains],
    ['/hosts', t.nav.hosts, c.hosts],
    ['/ip-ranges', t.nav.ranges, c.ipRanges],
    ['/ports', t.nav.ports, c.ports],
    ['/websites', t.nav.websites, c.websites],
    ['/findings', t.nav.findings, c.findings],
  ] as const;
  return (
    <div className={classes.totals}>
      {totals.map(([pathname, label, n]) => (
        <Link key={pathname} to={{ pathname, search }} className={classes.total}>
          <span className={classes.label}>{label}</span>
          <span className={classes.value}>{count(n)}</span>
        </Link>
      ))}
    </div>
  );
}
