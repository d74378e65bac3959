import { Link } from 'react-router';
import { useAll, useSubscriptions } from '~/api/queries';
import type { Execution, Schemas, Subscription } from '~/api/types';
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
import { days, within } from '~/lib/schedule';
import { exactly, until } from '~/lib/time';
import { zone } from '~/lib/zone';
import { t } from '~/text';
import classes from './Schedule.module.css';

/** Schedule is when subscriptions that go by the clock look: the next week, and each one's last and next time. */
export default function Schedule() {
  const all = useSubscriptions();
  const [project] = useProject();
  const week = days(8, new Date(useNow(60_000)));
  // to the minute, so that asking again within it finds what is known
  const from = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
  const times = useAll<Scheduled>('/schedule', { project, from, to: week[7]!.toISOString() });
  const error = all.error ?? times.error;
  if (error) return <Problem error={error} retry={() => void Promise.all([all.refetch(), times.refetch()])} />;
  if (!all.data || !times.data) return <Loading />;
  const byId = new Map(all.data.items.map((s) => [s.id, s]));
  const timed = times.data.items.flatMap((x): Timed[] => {
    const s = byId.get(x.subscriptionId);
    return s ? [{ id: s.id, subscription: s, times: x }] : [];
  });
  return (
    <>
      <PageHead title={t.schedule.title} note={t.schedule.zone(zone)}>
        <Link className="link faint" to="/subscriptions">{t.schedule.all}</Link>
      </PageHead>
      {timed.length === 0 ? <Empty title={t.schedule.none}>{t.schedule.noneText}</Empty> : (
        <div className={classes.page}>
          <Week of={timed} days={week} />
          <Panel title={t.nouns.subscription.title} note={count(timed.length)} flush>
            <SmallTable label={t.nouns.subscription.title} rows={timed} columns={columns} to={(s) => `/subscriptions/${s.id}`} empty="" />
          </Panel>
        </div>
      )}
    </>
  );
}

type Scheduled = Schemas['Scheduled'];

/** Timed is a subscription that goes by the clock, and its times. */
interface Timed {
  id: string;
  subscription: Subscription;
  times: Scheduled;
}

const columns: Column<Timed>[] = [
  { id: 'name', label: t.subscription.name, width: 200, cell: ({ subscription: s }) => <Link className="link" to={`/subscriptions/${s.id}`}>{s.name}</Link> },
  { id: 'schedule', label: t.subscription.schedule, width: 120, cell: ({ subscription: s }) => <span className="mono">{s.schedule}</span> },
  { id: 'zone', label: t.schedule.itsZone, width: 110, cell: (x) => x.times.timeZone },
  { id: 'kind', label: t.subscription.trigger, width: 90, cell: ({ subscription: s }) => (s.trigger === 'reconcile' ? t.subscription.triggers.reconcile : t.subscription.triggers.cron) },
  { id: 'scope', label: t.subscription.scope, width: 120, cell: ({ subscription: s }) => (s.projectId ? <ProjectName id={s.projectId} /> : t.subscription.every) },
  { id: 'last', label: t.schedule.last, width: 150, cell: ({ subscription: s }) => <Last of={s} /> },
  { id: 'next', label: t.schedule.next, width: 150, cell: (x) => <Next of={x} /> },
];

/** Last is the latest execution a subscription asked for. */
function Last({ of: s }: { of: Subscription }) {
  const one = useAll<Execution>('/executions', { q: `subscription:${s.id}`, sort: '-queuedAt', limit: 1 }).data?.items[0];
  if (!one) return <span className="faint">{t.schedule.never}</span>;
  return <Link className="link" to={`/executions/${one.id}`}><When at={one.queuedAt} /> <StateBadge state={one.state} /></Link>;
}

function Next({ of: { subscription: s, times } }: { of: Timed }) {
  const now = useNow(30_000);
  if (!s.enabled || s.broken) return <span className="faint">{s.broken ? t.subscription.brokenShort : t.subscription.off}</span>;
  return times.next ? <time dateTime={times.next} title={exactly(times.next)}>{until(times.next, now)}</time> : '–';
}

interface Due {
  subscription: Subscription;
  at: Date[];
  /** too often to tell each time */
  often: boolean;
}

const most = 6;
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: zone });
const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone });

/** Week lays the times of the next seven days side by side. */
function Week({ of: timed, days: week }: { of: Timed[]; days: Date[] }) {
  return (
    <ol className={classes.week} aria-label={t.schedule.week}>
      {week.slice(0, 7).map((day, i) => <Day key={day.toISOString()} label={i === 0 ? t.schedule.today : weekday.format(day)} due={dueOn(timed, day, week[i + 1]!)} />)}
    </ol>
  );
}

/** dueOn is what looks on a day, the earliest first. */
function dueOn(timed: Timed[], day: Date, next: Date): Due[] {
  const due = timed.map(({ subscription, times }): Due => ({
    subscription, at: within(times.at, day, next), often: times.more && new Date(times.at.at(-1)!) < next,
  }));
  const first = (d: Due) => d.at[0]?.getTime() ?? day.getTime();
  return due.filter((d) => d.at.length > 0 || d.often).sort((a, b) => first(a) - first(b));
}

function Day({ label, due }: { label: string; due: Due[] }) {
  return (
    <li className={classes.day}>
      <h2 className={classes.date}>{label}</h2>
      {due.length === 0 ? <span className="faint">{t.schedule.nothing}</span> : (
        <ul className={classes.due}>
          {due.map(({ subscription: s, at, often }) => (
            <li key={s.id}>
              <Link className="link" to={`/subscriptions/${s.id}`}>{s.name}</Link>
              <span className="faint num">{often ? t.schedule.often : at.length > most ? t.schedule.times(at.length, time.format(at[0])) : at.map((x) => time.format(x)).join(', ')}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
