import { Link } from 'react-router';
import type { Host } from '~/api/types';
import { Several } from '~/components/Links';
import { ListPage } from '~/components/ListPage';
import { Marked } from '~/components/Marked';
import { seenColumns } from '~/components/seen';
import type { Column } from '~/components/table';
import { domainKey } from '~/lib/key';
import { count } from '~/lib/number';
import { t } from '~/text';
import { AddTargets } from './AddTargets';

export const toHost = (h: Host) => `/hosts/${h.id}`;

export const hostColumns: Column<Host>[] = [
  { id: 'ip', sort: 'host', label: t.host.ip, width: 170, grow: 1, narrow: 'first', cell: (h) => <><Link className="link mono" to={toHost(h)}>{h.ip}</Link><Marked of={h} /></> },
  {
    id: 'domains', label: t.host.domains, width: 200, grow: 2, narrow: 'second',
    cell: (h) => <Several keys={h.domains.map((d) => domainKey(h.projectId, d))} show={2} />,
  },
  { id: 'ports', label: t.host.ports, width: 80, align: 'right', narrow: 'first', cell: (h) => <span className="num">{count(h.ports)}</span> },
  { id: 'os', sort: 'os', label: t.host.os, width: 130, grow: 0.6, cell: (h) => h.os ?? <span className="faint">–</span> },
];

const columns: Column<Host>[] = [...hostColumns, ...seenColumns<Host>()];

const facets = [{ field: 'os', label: t.host.os }, { field: 'tag', label: t.resource.tags }, { field: 'owner', label: t.marks.owner }];

export default function Hosts() {
  return (
    <ListPage path="/hosts" noun={t.nouns.host} columns={columns} to={toHost} marks facets={facets} emptyText={t.host.empty} actions={<AddTargets />} next={<AddTargets first />} />
  );
}
