import { NavLink } from 'react-router';
import { useMay } from '~/api/may';
import { useCounts, useVersion } from '~/api/queries';
import type { Counts } from '~/api/types';
import { compact } from '~/lib/number';
import { t } from '~/text';
import classes from './Nav.module.css';
import { sections, type NavEntry } from './nav';
import { useProject, useSearch } from './project';

/** Nav is the side bar: where one can go, and how much is there. */
export function Nav() {
  const [project] = useProject();
  const counts = useCounts(project).data;
  const search = useSearch();
  const may = useMay();
  const version = useVersion().data?.version;
  return (
    <nav className={classes.nav} aria-label={t.frame.navigation}>
      {sections.map((s) => (
        <div key={s.label} className={classes.section}>
          {s.label && <div className={classes.label}>{s.label}</div>}
          {s.entries.filter((e) => !e.scope || may(e.scope)).map((e) => (
            <Entry key={e.to} entry={e} counts={counts} search={search} />
          ))}
        </div>
      ))}
      <div className={classes.foot}>{version && t.frame.version(version)}</div>
    </nav>
  );
}

function Entry({ entry, counts, search }: { entry: NavEntry; counts?: Counts; search: string }) {
  const n = entry.count && counts ? total(entry.count, counts) : 0;
  return (
    <NavLink
      to={{ pathname: entry.to, search }}
      end={entry.to === '/'}
      className={({ isActive }) => `${classes.entry} ${isActive ? classes.current : ''}`}
    >
      <entry.icon size={17} stroke={1.6} aria-hidden />
      <span className={classes.text}>{entry.label}</span>
      {n > 0 && <span className={entry.count === 'active' ? classes.active : classes.count}>{compact(n)}</span>}
    </NavLink>
  );
}

function total(of: NonNullable<NavEntry['count']>, c: Counts): number {
  const e = c.executions;
  return of === 'active' ? e.queued + e.starting + e.running : c[of];
}
