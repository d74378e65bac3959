import type { Finding } from '~/api/types';
import { FindingDrawer } from '~/components/FindingDrawer';
import { FindingsBar } from '~/components/FindingsBar';
import { KeyLink, ProjectName } from '~/components/Links';
import { ListPage } from '~/components/ListPage';
import type { Column } from '~/components/table';
import { When } from '~/components/When';
import { findingTitle, summary } from '~/lib/finding';
import { t } from '~/text';
import { AddTargets } from './AddTargets';

const columns: Column<Finding>[] = [
  { id: 'title', fields: ['key', 'name'], label: t.finding.key, width: 170, grow: 0.9, narrow: 'first', cell: (f) => findingTitle(f) },
  { id: 'about', fields: ['domainName', 'ip', 'port', 'protocol', 'path'], label: t.finding.about, width: 180, grow: 1.2, narrow: 'second', cell: (f) => <KeyLink of={f.correlationKey} /> },
  { id: 'said', fields: ['fields', 'tag'], label: t.finding.said, width: 200, grow: 2, cell: (f) => <span className="faint">{summary(f)}</span> },
  { id: 'by', fields: ['source', 'job'], label: t.finding.by, width: 150, grow: 0.8, cell: (f) => f.job ?? t.finding.sources[f.source] },
  { id: 'project', label: t.resource.project, width: 120, grow: 0.6, cell: (f) => <ProjectName id={f.projectId} /> },
  { id: 'at', sort: 'at', label: t.finding.at, width: 100, narrow: 'first', cell: (f) => <When at={f.at} /> },
];

const facets = [
  { field: 'key', label: t.finding.key },
  { field: 'job', label: t.finding.by },
  { field: 'source', label: t.finding.source },
  { field: 'host', label: t.port.address },
  { field: 'domain', label: t.nouns.domain.title },
];

export default function Findings() {
  return (
    <FindingDrawer>
      {(show) => <ListPage path="/findings" noun={t.nouns.finding} columns={columns} onOpen={show} bulk={(selection, rows) => <FindingsBar selection={selection} rows={rows} />} facets={facets} emptyText={t.finding.empty} next={<AddTargets first />} />}
    </FindingDrawer>
  );
}
