import { Checkbox, SegmentedControl, Select, Text, TextInput } from '@mantine/core';
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { useChanges, useDiff } from '~/api/changes';
import { useProjects } from '~/api/queries';
import { useProject } from '~/app/project';
import { ChangeList } from '~/components/ChangeList';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { Empty, Loading, Problem } from '~/components/States';
import { tally } from '~/lib/changes';
import { count } from '~/lib/number';
import { fromLocal, toLocal } from '~/lib/time';
import { t } from '~/text';
import classes from './Changes.module.css';

const periods = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, month: 30 * 86_400_000 };
type Period = keyof typeof periods | 'between';

/** Changes is what happened lately, or what differs between two times. */
export default function Changes() {
  const [search, setSearch] = useSearchParams();
  const [project] = useProject();
  const projects = useProjects();
  const ids = useMemo(() => (project ? [project] : (projects.data ?? []).slice(0, 50).map((p) => p.id)), [project, projects.data]);
  const period = (search.get('period') ?? 'day') as Period;
  const set = (name: string, value: string) => setSearch((s) => {
    if (value) s.set(name, value);
    else s.delete(name);
    return s;
  }, { replace: true });
  const between = period === 'between';
  const since = useMemo(() => new Date(Date.now() - (between ? periods.day : periods[period] ?? periods.day)).toISOString(), [between, period]);
  const from = search.get('from') ?? since;
  const to = search.get('to') ?? undefined;
  const feed = useChanges(ids, since, undefined, !between);
  const diff = useDiff(ids, from, to, between);
  const told = between ? diff : feed;
  const kind = search.get('kind') ?? '';
  const brief = search.get('brief') === '1';
  const shown = told.data?.changes.filter((c) => (!kind || c.kind === kind) && (!brief || !c.attribute));
  const n = tally(shown ?? []);
  return (
    <>
      <PageHead title={t.changes.title} note={shown && [t.changes.came(count(n.came)), t.changes.went(count(n.went)), t.changes.changed(count(n.changed))].join(' · ')} />
      <div className={classes.bar}>
        <SegmentedControl
          size="xs" aria-label={t.changes.period} value={period} onChange={(v) => set('period', v === 'day' ? '' : v)}
          data={Object.entries(t.changes.periods).map(([value, label]) => ({ value, label }))}
        />
        {between && (
          <>
            <TextInput size="xs" type="datetime-local" aria-label={t.changes.from} value={toLocal(from)} onChange={(e) => set('from', fromLocal(e.currentTarget.value))} />
            <span className="faint">–</span>
            <TextInput size="xs" type="datetime-local" aria-label={t.changes.to} value={to ? toLocal(to) : ''} onChange={(e) => set('to', fromLocal(e.currentTarget.value))} />
          </>
        )}
        <Select
          size="xs" w={140} aria-label={t.changes.kind} placeholder={t.changes.anyKind} clearable value={kind || null} onChange={(v) => set('kind', v ?? '')}
          data={Object.entries(t.changes.kinds).map(([value, label]) => ({ value, label }))}
        />
        <Checkbox size="xs" label={t.changes.news} checked={brief} onChange={(e) => set('brief', e.currentTarget.checked ? '1' : '')} />
      </div>
      <div className={classes.page}>
        {between && <Text size="sm" className="faint">{t.changes.diffText}</Text>}
        {told.data?.cut && <Text size="sm" c="var(--warn)" role="status">{t.changes.cut}</Text>}
        <Panel title={t.changes.title} flush>
          {projects.data?.length === 0 ? <Empty title={t.changes.none} /> : told.isPending ? <Loading /> : told.error && !shown ? (
            <Problem error={told.error} retry={() => void told.refetch()} />
          ) : !shown || shown.length === 0 ? <Empty title={t.changes.none}>{t.changes.noneText}</Empty> : <ChangeList changes={shown} />}
        </Panel>
      </div>
    </>
  );
}
