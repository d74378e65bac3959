import { useCounts } from '~/api/queries';
import type { Execution, State } from '~/api/types';
import { useProject } from '~/app/project';
import { executionColumns, toExecution } from '~/components/executionColumns';
import { FilterTabs } from '~/components/FilterTabs';
import { ProjectName } from '~/components/Links';
import { RunJob } from '~/components/RunJob';
import { ListPage, useFilter } from '~/components/ListPage';
import type { Column } from '~/components/table';
import { setTerm, valueOf } from '~/lib/filter';
import { t } from '~/text';
import { Many } from './ExecutionsMany';
import { AddTargets } from './AddTargets';

const states = Object.keys(t.execution.states) as State[];

const columns: Column<Execution>[] = [
  ...executionColumns,
  { id: 'project', label: t.resource.project, width: 120, grow: 0.6, cell: (e) => <ProjectName id={e.projectId} /> },
];

const facets = [
  { field: 'job', label: t.execution.job },
  { field: 'reason', label: t.execution.reason },
  { field: 'runner', label: t.execution.runner },
];

export default function Executions() {
  const [q, setQ] = useFilter();
  const [project] = useProject();
  const counts = useCounts(project).data?.executions;
  const open = counts ? counts.queued + counts.starting + counts.running : 0;
  const failed = counts ? counts.failed + counts.timed_out + counts.lost : 0;
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
      to={toExecution}
      live
      facets={facets}
      filters={<FilterTabs label={t.execution.state} tabs={tabs} value={state} onChange={(s) => setQ(setTerm(q, 'state', s))} />}
      emptyText={t.execution.empty} next={<AddTargets first />}
      actions={<><Many q={q} project={project} open={open} failed={failed} /><RunJob /></>}
    />
  );
}
