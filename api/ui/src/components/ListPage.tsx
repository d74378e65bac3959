import { Button, Loader } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useCallback, useMemo, type ReactNode } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import type { Params } from '~/api/client';
import { useFresh, useNews, usePages } from '~/api/queries';
import { useProject } from '~/app/project';
import { count } from '~/lib/number';
import { t, type Noun } from '~/text';
import { ColumnPicker } from './ColumnPicker';
import { DataTable } from './DataTable';
import classes from './ListPage.module.css';
import { PageHead } from './PageHead';
import { SearchBox } from './SearchBox';
import { Empty, Loading, Problem } from './States';
import type { Column } from './table';
import { useColumns } from './useColumns';

interface Props<T> {
  path: string;
  noun: Noun;
  columns: Column<T>[];
  /** the page of a row, or what to do with it instead */
  to?: (row: T) => string;
  onOpen?: (row: T) => void;
  search?: string;
  filters?: ReactNode;
  params?: Params;
  actions?: ReactNode;
  emptyText: string;
  /** rows on screen follow what happens to them */
  live?: boolean;
}

/** ListPage is a list of one kind of thing: search, filters, the table, and what is new since it was read. */
export function ListPage<T extends { id: string }>(p: Props<T>) {
  const [project] = useProject();
  const [search, setSearch] = useSearchParams();
  const navigate = useNavigate();
  const q = search.get('q') ?? '';
  const params = { ...p.params, project, ...(p.search ? { q } : {}) };
  const pages = usePages<T>(p.path, params);
  const fresh = useFresh<T>(p.path, params, p.live === true);
  const rows = useMemo(() => pages.data?.pages.flatMap((x) => x.items).map((r) => fresh.get(r.id) ?? r) ?? [], [pages.data, fresh]);
  const total = pages.data?.pages[0]?.total;
  const news = useNews(p.path, params, pages.isPlaceholderData ? undefined : total);
  const columns = useColumns(p.path, p.columns, project !== '');
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const setQ = (text: string) =>
    setSearch((s) => {
      if (text.trim()) s.set('q', text.trim());
      else s.delete('q');
      return s;
    }, { replace: true });
  const filtered = q !== '' || Object.values(p.params ?? {}).some(Boolean);
  return (
    <>
      <PageHead title={p.noun.title} note={total !== undefined && count(total)}>{p.actions}</PageHead>
      <div className={classes.bar}>
        {p.search && <SearchBox value={q} onChange={setQ} label={p.search} />}
        {p.filters}
        {pages.isFetching && !pages.isPending && <Loader size={14} aria-label={t.states.loading} />}
        <News n={news} reload={() => void pages.refetch()} />
        <span className={classes.space} />
        <ColumnPicker {...columns} />
      </div>
      {pages.isPending ? <Loading /> : pages.error && rows.length === 0 ? (
        <Problem error={pages.error} retry={() => void pages.refetch()} />
      ) : (
        <DataTable
          label={p.noun.title}
          columns={columns.shown}
          rows={rows}
          total={total ?? 0}
          idOf={(r) => r.id}
          open={p.onOpen ?? (p.to && ((r) => void navigate(p.to!(r))))}
          more={more}
          empty={filtered ? <Empty title={t.list.noMatch(p.noun.many)}>{t.list.noMatchText}</Empty> : <Empty title={t.list.none(p.noun.many)}>{p.emptyText}</Empty>}
        />
      )}
    </>
  );
}

/** News offers what came in since the list was read, without touching the list. */
function News({ n, reload }: { n: number; reload: () => void }) {
  if (n === 0) return null;
  return (
    <Button variant="light" size="compact-sm" leftSection={<IconRefresh size={14} />} onClick={reload}>
      {n > 0 ? t.list.news(count(n)) : t.list.changed}
    </Button>
  );
}
