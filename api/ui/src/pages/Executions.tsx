import { Link } from 'react-router';
import { useCounts } from '~/api/queries';
import type { Execution, State } from '~/api/types';
import { useProject } from '~/app/project';
import { FilterTabs } from '~/components/FilterTabs';
import { KeyLink, ProjectName } from '~/components/Links';
import { ListPage, useFilter } from '~/components/ListPage';
import { StateBadge } from '~/components/StateBadge';
import type { Column } from '~/components/table';
import { Took, When } from '~/components/When';
import { setTerm, valueOf } from '~/lib/filter';
import { count } from '~/lib/number';
import { t } from '~/text';

const to = (e: Execution) => `/executions/${e.id}`;
const states = Object.keys(t.execution.states) as State[];
const dash = <span className="faint">–</span>;

export const executionColumns: Column<Execution>[] = [
  { id: 'job', sort: 'job', label: t.execution.job, width: 190, grow: 1.1, narrow: 'first', cell: (e) => <Link className="link" to={to(e)}>{e.job}</Link> },
  { id: 'state', sort: 'state', label: t.execution.state, width: 120, narrow: 'first', cell: (e) => <StateBadge state={e.state} /> },
  { id: 'target', label: t.execution.target, width: 170, grow: 1.2, narrow: 'second', cell: (e) => (e.target ? <KeyLink of={e.target} /> : dash) },
  { id: 'findings', label: t.execution.findings, width: 90, align: 'right', cell: (e) => <span className="num">{count(e.findings)}</span> },
  { id: 'issues', fields: ['errors', 'warnings'], label: t.execution.problems, width: 150, cell: (e) => <Issues of={e} /> },
  { id: 'took', sort: 'duration', fields: ['seconds', 'startedAt', 'endedAt'], label: t.execution.took, width: 110, align: 'right', narrow: 'second', cell: (e) => <Took from={e.startedAt} to={e.endedAt} /> },
  { id: 'queued', fields: ['queuedAt'], sort: 'queuedAt', label: t.execution.queued, width: 110, narrow: 'second', cell: (e) => <When at={e.queuedAt} /> },
];

const columns: Column<Execution>[] = [
  ...executionColumns,
  { id: 'project', label: t.resource.project, width: 120, grow: 0.6, cell: (e) => <ProjectName id={e.projectId} /> },
];

function Issues({ of: e }: { of: Execution }) {
  const text = t.execution.issues(e.errors, e.warnings);
  if (!text) return dash;
  return <span style={{ color: e.errors > 0 ? 'var(--bad)' : 'var(--warn)' }}>{text}</span>;
}

const facets = [
  { field: 'job', label: t.execution.job },
  { field: 'reason', label: t.execution.reason },
  { field: 'runner', label: t.execution.runner },
];

export default function Executions() {
  const [q, setQ] = useFilter();
  const [project] = useProject();
  const counts = useCounts(project).data?.executions;
  const state = valueOf(q, 'state');
  const tabs = [
    { value: '', label: t.execution.all },
    // states nothing is in only take room
    ...states.filter((s) => counts?.[s] || s === state).map((s) => ({ value: s, label: t.execution.states[s], count: counts?.[s] })),
  ];
  return (
    <ListPage
      path="/executions"
      noun={t.nouns.execution}
      columns={columns}
      to={to}
      live
      facets={facets}
      filters={<FilterTabs label={t.execution.state} tabs={tabs} value={state} onChange={(s) => setQ(setTerm(q, 'state', s))} />}
      emptyText={t.execution.empty}
    />
  );
}
