// What lists of executions show.
import { Link } from 'react-router';
import type { Execution } from '~/api/types';
import { count } from '~/lib/number';
import { t } from '~/text';
import { KeyLink } from './Links';
import { StateBadge } from './StateBadge';
import type { Column } from './table';
import { Took, When } from './When';

export const toExecution = (e: Execution) => `/executions/${e.id}`;
const dash = <span className="faint">–</span>;

export const executionColumns: Column<Execution>[] = [
  { id: 'job', sort: 'job', label: t.execution.job, width: 190, grow: 1.1, narrow: 'first', cell: (e) => <Link className="link" to={toExecution(e)}>{e.job}</Link> },
  { id: 'state', sort: 'state', label: t.execution.state, width: 120, narrow: 'first', cell: (e) => <StateBadge state={e.state} /> },
  { id: 'target', label: t.execution.target, width: 170, grow: 1.2, narrow: 'second', cell: (e) => (e.target ? <KeyLink of={e.target} /> : dash) },
  { id: 'findings', label: t.execution.findings, width: 90, align: 'right', cell: (e) => <span className="num">{count(e.findings)}</span> },
  { id: 'issues', fields: ['errors', 'warnings'], label: t.execution.problems, width: 150, cell: (e) => <Issues of={e} /> },
  { id: 'took', sort: 'duration', fields: ['seconds', 'startedAt', 'endedAt'], label: t.execution.took, width: 110, align: 'right', narrow: 'second', cell: (e) => <Took from={e.startedAt} to={e.endedAt} /> },
  { id: 'queued', fields: ['queuedAt'], sort: 'queuedAt', label: t.execution.queued, width: 110, narrow: 'second', cell: (e) => <When at={e.queuedAt} /> },
];

function Issues({ of: e }: { of: Execution }) {
  const text = t.execution.issues(e.errors, e.warnings);
  if (!text) return dash;
  return <span style={{ color: e.errors > 0 ? 'var(--bad)' : 'var(--warn)' }}>{text}</span>;
}
