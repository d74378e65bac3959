import { Link } from 'react-router';
import { useAll } from '~/api/queries';
import { count } from '~/lib/number';
import { t } from '~/text';
import { Panel } from './Panel';
import { SmallTable } from './SmallTable';
import type { Column } from './table';

interface Props<T> {
  title: string;
  path: string;
  project: string;
  /** the filter that finds what is related */
  q: string;
  columns: Column<T>[];
  to: (row: T) => string;
  empty: string;
}

const most = 100;

/** RelatedList is a part of a list inside a page, with a way to all of it. */
export function RelatedList<T extends { id: string }>({ title, path, project, q, columns, to, empty }: Props<T>) {
  const found = useAll<T>(path, { project, q, limit: most });
  const total = found.data?.total;
  return (
    <Panel
      title={title} note={total !== undefined && count(total)} flush
      actions={total !== undefined && total > 0 && <Link className="link faint" to={{ pathname: path, search: `?${new URLSearchParams({ q, project })}` }}>{t.resource.inList}</Link>}
    >
      <SmallTable rows={found.data?.items} error={found.error} columns={columns} to={to} empty={empty} label={title} />
    </Panel>
  );
}
