import { Link } from 'react-router';
import type { Port } from '~/api/types';
import { KeyLink } from '~/components/Links';
import { ListPage } from '~/components/ListPage';
import { Marked } from '~/components/Marked';
import { seenColumns } from '~/components/seen';
import type { Column } from '~/components/table';
import { hostKey } from '~/lib/key';
import { t } from '~/text';
import { AddTargets } from './AddTargets';

const to = (p: Port) => `/ports/${p.id}`;
const dash = <span className="faint">–</span>;

export const portColumns: Column<Port>[] = [
  {
    id: 'port', sort: 'port', fields: ['port', 'protocol'], label: t.port.port, width: 130, narrow: 'first',
    cell: (p) => <><Link className="link mono" to={to(p)}>{p.port}<span className="faint">/{p.protocol}</span></Link><Marked of={p} /></>,
  },
  { id: 'service', sort: 'port.service', label: t.port.service, width: 120, grow: 0.8, narrow: 'first', cell: (p) => p.service ?? dash },
  { id: 'product', sort: 'port.product', label: t.port.product, width: 140, grow: 1, narrow: 'second', cell: (p) => p.product ?? dash },
  { id: 'version', sort: 'port.version', label: t.port.version, width: 110, grow: 0.6, narrow: 'second', cell: (p) => p.version ?? dash },
];

const columns: Column<Port>[] = [
  portColumns[0]!,
  { id: 'ip', sort: 'host', label: t.port.address, width: 160, grow: 1, narrow: 'first', cell: (p) => <KeyLink of={hostKey(p.projectId, p.ip)} /> },
  ...portColumns.slice(1).map((c): Column<Port> => (c.id === 'service' ? { ...c, narrow: 'second' } : c)),
  ...seenColumns<Port>(),
];

const facets = [
  { field: 'port', label: t.port.port },
  { field: 'port.service', label: t.port.service },
  { field: 'port.product', label: t.port.product },
  { field: 'port.protocol', label: t.port.protocol },
  { field: 'tag', label: t.resource.tags },
];

export default function Ports() {
  return <ListPage path="/ports" noun={t.nouns.port} columns={columns} to={to} marks facets={facets} emptyText={t.port.empty} next={<AddTargets first />} />;
}
