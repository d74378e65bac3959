import { Link } from 'react-router';
import { useAll, useSubscriptions } from '~/api/queries';
import type { Execution, Subscription } from '~/api/types';
import { ProjectName } from '~/components/Links';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { SmallTable } from '~/components/SmallTable';
import { StateBadge } from '~/components/StateBadge';
import { Empty, Loading, Problem } from '~/components/States';
import type { Column } from '~/components/table';
import { useNow, When } from '~/components/When';
import { useProject } from '~/app/project';
import { count } from '~/lib/number';
import { days, nextTick, ticks, zoneOf } from '~/lib/schedule';
import { exactly, until } from '~/lib/time';
import { t } from '~/text';
import classes from './Schedule.module.css';

/** Schedule is when subscriptions that go by the clock look: the next week, and each one's last and next time. */
export default function Schedule() {
  const all = useSubscriptions();
  const [project] = useProject();
  if (all.isPending) return <Loading />;
  if (all.error) return <Problem error={all.error} retry={() => void all.refetch()} />;
  const timed = all.data.items.filter((s) => s.schedule && (!project || !s.projectId || s.projectId === project));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <>
      <PageHead title={t.schedule.title} note={t.schedule.zone(zone)}>
        <Link className="link faint" to="/subscriptions">{t.schedule.all}</Link>
      </PageHead>
      {timed.length === 0 ? <Empty title={t.schedule.none}>{t.schedule.noneText}</Empty> : (
        <div className={classes.page}>
          <Week of={timed.filter(awake)} />
          <Panel title={t.nouns.subscription.title} note={count(timed.length)} flush>
            <SmallTable label={t.nouns.subscription.title} rows={timed} columns={columns} to={(s) => `/subscriptions/${s.id}`} empty="" />
          </Panel>
        </div>
      )}
    </>
  );
}

const awake = (s: Subscription) => s.enabled && !s.broken;

const columns: Column<Subscription>[] = [
  { id: 'name', label: t.subscription.name, width: 200, cell: (s) => <Link className="link" to={`/subscriptions/${s.id}`}>{s.name}</Link> },
  { id: 'schedule', label: t.subscription.schedule, width: 120, cell: (s) => <span className="mono">{s.schedule}</span> },
  { id: 'zone', label: t.schedule.itsZone, width: 110, cell: (s) => zoneOf(s.document) },
  { id: 'kind', label: t.subscription.trigger, width: 90, cell: (s) => (s.trigger === 'reconcile' ? t.subscription.triggers.reconcile : t.subscription.triggers.cron) },
  { id: 'scope', label: t.subscription.scope, width: 120, cell: (s) => (s.projectId ? <ProjectName id={s.projectId} /> : t.subscription.every) },
  { id: 'last', label: t.schedule.last, width: 150, cell: (s) => <Last of={s} /> },
  { id: 'next', label: t.schedule.next, width: 150, cell: (s) => <Next of={s} /> },
];

/** Last is the latest execution a subscription asked for. */
function Last({ of: s }: { of: Subscription }) {
  const one = useAll<Execution>('/executions', { q: `subscription:${s.id}`, sort: '-queuedAt', limit: 1 }).data?.items[0];
  if (!one) return <span className="faint">{t.schedule.never}</span>;
  return <Link className="link" to={`/executions/${one.id}`}><When at={one.queuedAt} /> <StateBadge state={one.state} /></Link>;
}

function Next({ of: s }: { of: Subscription }) {
  const now = useNow(30_000);
  if (!awake(s)) return <span className="faint">{s.broken ? t.subscription.brokenShort : t.subscription.off}</span>;
  const at = nextTick(s.schedule ?? '', zoneOf(s.document), new Date(now))?.toISOString();
  return at ? <time dateTime={at} title={exactly(at)}>{until(at, now)}</time> : '–';
}

interface Due {
  subscription: Subscription;
  at: Date[];
}

const most = 6;
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** Week lays the times of the next seven days side by side. */
function Week({ of: subscriptions }: { of: Subscription[] }) {
  const now = new Date(useNow(60_000));
  return (
    <ol className={classes.week} aria-label={t.schedule.week}>
      {days(7, now).map((day, i) => {
        const end = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1, 0, 0, 0, -1);
        const due = subscriptions.map((s): Due => ({ subscription: s, at: ticks(s.schedule ?? '', zoneOf(s.document), i === 0 ? now : new Date(day.getTime() - 1), end) }));
        return <Day key={day.toISOString()} label={i === 0 ? t.schedule.today : weekday.format(day)} due={due.filter((d) => d.at.length > 0).sort((a, b) => a.at[0]!.getTime() - b.at[0]!.getTime())} />;
      })}
    </ol>
  );
}

function Day({ label, due }: { label: string; due: Due[] }) {
  return (
    <li className={classes.day}>
      <h2 className={classes.date}>{label}</h2>
      {due.length === 0 ? <span className="faint">{t.schedule.nothing}</span> : (
        <ul className={classes.due}>
          {due.map(({ subscription: s, at }) => (
            <li key={s.id}>
              <Link className="link" to={`/subscriptions/${s.id}`}>{s.name}</Link>
              <span className="faint num">{at.length > most ? t.schedule.times(at.length, time.format(at[0])) : at.map((x) => time.format(x)).join(', ')}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
