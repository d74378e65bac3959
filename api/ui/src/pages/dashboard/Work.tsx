// What the automation is doing, what went wrong, and what it said last.
import { Link } from 'react-router';
import { useAll } from '~/api/queries';
import type { Counts, Execution, Finding } from '~/api/types';
import { useSearch } from '~/app/project';
import { KeyLink } from '~/components/Links';
import { Panel } from '~/components/Panel';
import { StateBadge } from '~/components/StateBadge';
import { Loading } from '~/components/States';
import { Took, When } from '~/components/When';
import { findingTitle, summary } from '~/lib/finding';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './Work.module.css';

export function Running({ counts, project }: { counts: Counts; project: string }) {
  const e = counts.executions;
  const active = e.running + e.starting;
  const running = useAll<Execution>('/executions', { project, state: 'running', limit: 8 }, 2000).data?.items;
  const latest = useAll<Execution>('/executions', { project, limit: 8 }, 3000).data?.items;
  const idle = active === 0;
  return (
    <Panel
      title={idle ? t.dashboard.latest : t.dashboard.running}
      note={idle ? undefined : count(active)}
      actions={e.queued > 0 && <span className="faint num">{t.dashboard.waiting(count(e.queued))}</span>}
      flush
    >
      <Executions rows={idle ? latest : running} empty={t.dashboard.idle} />
    </Panel>
  );
}

export function Failed({ counts, project }: { counts: Counts; project: string }) {
  const e = counts.executions;
  const n = e.failed + e.timed_out + e.lost;
  const failed = useAll<Execution>('/executions', { project, state: 'failed', limit: 8 }, 5000).data?.items;
  if (n === 0) return null;
  return (
    <Panel title={t.dashboard.failed} note={count(n)} flush>
      <Executions rows={failed} empty="" />
    </Panel>
  );
}

function Executions({ rows, empty }: { rows?: Execution[]; empty: string }) {
  if (!rows) return <Loading />;
  if (rows.length === 0) return <p className={classes.empty}>{empty}</p>;
  return (
    <ul className={classes.rows}>
      {rows.map((x) => (
        <li key={x.id} className={classes.row}>
          <Link className={`link ${classes.main}`} to={`/executions/${x.id}`}>{x.job}</Link>
          <span className={classes.target}>{x.target && <KeyLink of={x.target} />}</span>
          <span className={classes.end}><StateBadge state={x.state} /></span>
          <span className={`faint ${classes.time}`}><Took from={x.startedAt} to={x.endedAt} /></span>
        </li>
      ))}
    </ul>
  );
}

export function LatestFindings({ project }: { project: string }) {
  const search = useSearch();
  const findings = useAll<Finding>('/findings', { project, limit: 10 }, 5000).data?.items;
  return (
    <Panel title={t.dashboard.said} actions={<Link className="link faint" to={{ pathname: '/findings', search }}>{t.dashboard.allFindings}</Link>} flush>
      {!findings ? <Loading /> : findings.length === 0 ? <p className={classes.empty}>{t.list.none(t.nouns.finding.many)}</p> : (
        <ul className={classes.rows}>
          {findings.map((f) => (
            <li key={f.id} className={classes.row}>
              <span className={classes.main}>{findingTitle(f)}</span>
              <span className={classes.target}><KeyLink of={f.correlationKey} /></span>
              <span className={`faint ${classes.said}`}>{summary(f)}</span>
              <span className={`faint ${classes.time}`}><When at={f.at} /></span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
