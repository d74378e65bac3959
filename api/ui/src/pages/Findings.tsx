import { Select } from '@mantine/core';
import { useSearchParams } from 'react-router';
import type { Finding } from '~/api/types';
import { FindingDrawer } from '~/components/FindingDrawer';
import { KeyLink, ProjectName } from '~/components/Links';
import { ListPage } from '~/components/ListPage';
import type { Column } from '~/components/table';
import { When } from '~/components/When';
import { findingTitle, summary } from '~/lib/finding';
import { t } from '~/text';

const kinds = [
  'HostnameFinding', 'HostnameIpFinding', 'IpFinding', 'IpRangeFinding', 'PortFinding', 'PortServiceFinding', 'WebsiteFinding',
  'WebsiteResponseFinding', 'WebsitePathFinding', 'WebsiteTechnologyFinding', 'CertificateFinding', 'OperatingSystemFinding', 'TagFinding',
];

const columns: Column<Finding>[] = [
  { id: 'title', label: t.finding.key, width: 170, grow: 0.9, narrow: 'first', cell: (f) => findingTitle(f) },
  { id: 'about', label: t.finding.about, width: 180, grow: 1.2, narrow: 'second', cell: (f) => <KeyLink of={f.correlationKey} /> },
  { id: 'said', label: t.finding.said, width: 200, grow: 2, cell: (f) => <span className="faint">{summary(f)}</span> },
  { id: 'by', label: t.finding.by, width: 150, grow: 0.8, cell: (f) => f.job ?? t.finding.sources[f.source] },
  { id: 'project', label: t.resource.project, width: 120, grow: 0.6, cell: (f) => <ProjectName id={f.projectId} /> },
  { id: 'at', label: t.finding.at, width: 100, narrow: 'first', cell: (f) => <When at={f.at} /> },
];

export default function Findings() {
  const [search, setSearch] = useSearchParams();
  const kind = search.get('key') ?? '';
  const set = (value: string | null) =>
    setSearch((s) => {
      if (value) s.set('key', value);
      else s.delete('key');
      return s;
    }, { replace: true });
  const filters = (
    <Select
      data={kinds.includes(kind) || !kind ? kinds : [kind, ...kinds]}
      value={kind || null}
      onChange={set}
      placeholder={t.finding.anyKey}
      aria-label={t.finding.anyKey}
      clearable
      searchable
      w={240}
    />
  );
  return (
    <FindingDrawer>
      {(show) => (
        <ListPage
          path="/findings"
          noun={t.nouns.finding}
          columns={columns}
          onOpen={show}
          params={{ key: kind }}
          filters={filters}
          emptyText={t.finding.empty}
        />
      )}
    </FindingDrawer>
  );
}
