import { Link } from 'react-router';
import type { IPRange } from '~/api/types';
import { ListPage } from '~/components/ListPage';
import { Marked } from '~/components/Marked';
import { seenColumns } from '~/components/seen';
import type { Column } from '~/components/table';
import { t } from '~/text';
import { AddTargets } from './AddTargets';

const to = (r: IPRange) => `/ip-ranges/${r.id}`;

const columns: Column<IPRange>[] = [
  { id: 'cidr', sort: 'ipRange', label: t.range.cidr, width: 200, grow: 1.5, narrow: 'first', cell: (r) => <><Link className="link mono" to={to(r)}>{r.cidr}</Link><Marked of={r} /></> },
  ...seenColumns<IPRange>(),
];

const facets = [{ field: 'tag', label: t.resource.tags }, { field: 'owner', label: t.marks.owner }];

export default function Ranges() {
  return (
    <ListPage path="/ip-ranges" noun={t.nouns.range} columns={columns} to={to} marks facets={facets} emptyText={t.range.empty} actions={<AddTargets />} next={<AddTargets first />} />
  );
}
