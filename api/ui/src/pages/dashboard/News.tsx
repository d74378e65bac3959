// What needs a look: certificates that end, jobs that fail, what changed since yesterday.
import { useMemo } from 'react';
import { Link } from 'react-router';
import { useChanges } from '~/api/changes';
import { useAll, useProjects } from '~/api/queries';
import { useJobStats, useTrends } from '~/api/trends';
import type { Website } from '~/api/types';
import { Panel } from '~/components/Panel';
import { When } from '~/components/When';
import { KeyLink } from '~/components/Links';
import { tally, together } from '~/lib/changes';
import { count } from '~/lib/number';
import { daysUntil } from '~/lib/time';
import { t } from '~/text';
import classes from './Work.module.css';

const soon = { q: 'expires:<30d', sort: 'certificate.expires' };

export function Certificates({ project }: { project: string }) {
  const c = useTrends(project).data?.certificates;
  const sites = useAll<Website>('/websites', { project, ...soon, limit: 6 }).data?.items ?? [];
  if (!c || c.total === 0) return null;
  const note = [c.expired > 0 && t.dashboard.certificatesExpired(c.expired), c.soon > 0 && t.dashboard.certificatesSoon(c.soon)].filter(Boolean).join(', ');
  const search = `?${new URLSearchParams({ ...soon, ...(project ? { project } : {}) })}`;
  return (
    <Panel title={t.dashboard.certificates} note={note || t.dashboard.certificatesFine} actions={sites.length > 0 && <Link className="link faint" to={{ pathname: '/websites', search }}>{t.resource.inList}</Link>} flush>
      {sites.length > 0 && (
        <ul className={classes.rows}>
          {sites.map((w) => (
            <li key={w.id} className={classes.row}>
              <Link className={`link mono ${classes.target}`} to={`/websites/${w.id}`}>{w.url}</Link>
              <span className={`faint ${classes.main} ${classes.wide}`}>{w.certificate?.subject}</span>
              <span className={classes.end} style={{ color: 'var(--warn)' }}>{w.certificate && t.website.expires(daysUntil(w.certificate.notAfter))}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

export function FailingJobs({ project }: { project: string }) {
  const jobs = (useJobStats(project).data ?? []).map((j) => ({ ...j, bad: (j.states.failed ?? 0) + (j.states.timed_out ?? 0) + (j.states.lost ?? 0) })).filter((j) => j.bad > 0);
  if (jobs.length === 0) return null;
  return (
    <Panel title={t.dashboard.jobs} flush>
      <ul className={classes.rows}>
        {jobs.sort((a, b) => b.bad - a.bad).slice(0, 6).map((j) => (
          <li key={j.job} className={classes.row}>
            <Link className={`link ${classes.main}`} to={{ pathname: '/executions', search: `?${new URLSearchParams({ q: `job:${j.job} state:failed` })}` }}>{j.job}</Link>
            <span className={classes.end}>{t.dashboard.jobRate(count(j.bad), count(j.executions))}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function Recently({ project }: { project: string }) {
  const projects = useProjects().data;
  const ids = useMemo(() => (project ? [project] : (projects ?? []).slice(0, 50).map((p) => p.id)), [project, projects]);
  const since = useMemo(() => new Date(Date.now() - 86_400_000).toISOString(), []);
  const told = useChanges(ids, since).data;
  if (!told || told.changes.length === 0) return null;
  const n = tally(told.changes);
  const events = together(told.changes.filter((c) => !c.attribute || c.what === 'changed')).slice(0, 8);
  return (
    <Panel
      title={t.dashboard.changes} note={[t.changes.came(count(n.came)), t.changes.went(count(n.went)), t.changes.changed(count(n.changed))].join(' · ')}
      actions={<Link className="link faint" to="/changes">{t.dashboard.allChanges}</Link>} flush
    >
      <ul className={classes.rows}>
        {events.map(({ first: c }, i) => (
          <li key={`${c.resourceId}${i}`} className={classes.row}>
            <span className={classes.main}><KeyLink of={c.correlationKey} /></span>
            <span className={`faint ${classes.target}`}>{t.changes.what[c.what](t.changes.kinds[c.kind])} {c.attribute}</span>
            <span className={`faint ${classes.time}`}><When at={c.at} /></span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
