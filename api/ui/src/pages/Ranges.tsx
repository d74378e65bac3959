import { Link } from 'react-router';
import type { IPRange } from '~/api/types';
import { ListPage } from '~/components/ListPage';
import { seenColumns } from '~/components/seen';
import type { Column } from '~/components/table';
import { t } from '~/text';
import { AddTargets } from './AddTargets';

const to = (r: IPRange) => `/ip-ranges/${r.id}`;

const columns: Column<IPRange>[] = [
  { id: 'cidr', label: t.range.cidr, width: 200, grow: 1.5, narrow: 'first', cell: (r) => <Link className="link mono" to={to(r)}>{r.cidr}</Link> },
  ...seenColumns<IPRange>(),
];

export default function Ranges() {
  return (
    <ListPage path="/ip-ranges" noun={t.nouns.range} columns={columns} to={to} search={t.range.search} emptyText={t.range.empty} actions={<AddTargets />} />
  );
}
