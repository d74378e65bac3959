import { Link } from 'react-router';
import type { Domain } from '~/api/types';
import { Several } from '~/components/Links';
import { ListPage } from '~/components/ListPage';
import { Marked } from '~/components/Marked';
import { seenColumns } from '~/components/seen';
import type { Column } from '~/components/table';
import { hostKey } from '~/lib/key';
import { t } from '~/text';
import { AddTargets } from './AddTargets';

const to = (d: Domain) => `/domains/${d.id}`;

const columns: Column<Domain>[] = [
  { id: 'name', sort: 'domain', label: t.domain.name, width: 200, grow: 1.6, narrow: 'first', cell: (d) => <><Link className="link mono" to={to(d)}>{d.name}</Link><Marked of={d} /></> },
  {
    id: 'hosts', label: t.domain.hosts, width: 200, grow: 1.6, narrow: 'second',
    cell: (d) => <Several keys={d.hosts.map((ip) => hostKey(d.projectId, ip))} />,
  },
  ...seenColumns<Domain>(),
];

const facets = [{ field: 'tag', label: t.resource.tags }, { field: 'owner', label: t.marks.owner }];

export default function Domains() {
  return (
    <ListPage path="/domains" noun={t.nouns.domain} columns={columns} to={to} marks facets={facets} emptyText={t.domain.empty} actions={<AddTargets />} next={<AddTargets first />} />
  );
}
