import { Loader } from '@mantine/core';
import { useCallback, useMemo, type ReactNode } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { useFresh, useNews, usePages } from '~/api/queries';
import type { Seen } from '~/api/types';
import { useProject } from '~/app/project';
import { count } from '~/lib/number';
import { t, type Noun } from '~/text';
import { BulkBar } from './BulkBar';
import { ColumnPicker } from './ColumnPicker';
import { DataTable } from './DataTable';
import { ExportMenu } from './ExportMenu';
import { Facets, type FacetField } from './Facets';
import { FacetsButton, useFacetsOpen } from './FacetsButton';
import { FilterBox } from './FilterBox';
import classes from './ListPage.module.css';
import { News } from './News';
import { PageHead } from './PageHead';
import { SavedSearches } from './SavedSearches';
import { Empty, Loading, Problem } from './States';
import type { Column } from './table';
import { useColumns } from './useColumns';
import { useSelection, type Selection } from './useSelection';

interface Props<T> {
  path: string;
  noun: Noun;
  columns: Column<T>[];
  /** the page of a row, or what to do with it instead */
  to?: (row: T) => string;
  onOpen?: (row: T) => void;
  filters?: ReactNode;
  facets?: FacetField[];
  actions?: ReactNode;
  emptyText: string;
  /** what to do when there is nothing yet */
  next?: ReactNode;
  /** rows are resources that can be tagged, blocked and so on */
  marks?: boolean;
  /** what can be done with chosen rows that are no resources */
  bulk?: (selection: Selection, rows: T[]) => ReactNode;
  /** rows on screen follow what happens to them */
  live?: boolean;
  /** shows the rows in another way than the table */
  view?: (rows: T[], more: () => void) => ReactNode;
  viewSwitch?: ReactNode;
}

/** useFilter is the filter of a list, kept in the address. */
export function useFilter(): [q: string, setQ: (q: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = (name: string) => (value: string) =>
    setSearch((s) => {
      if (value) s.set(name, value);
      else s.delete(name);
      return s;
    }, { replace: true });
  return [search.get('q') ?? '', set('q')];
}

function useSort(): [string, (sort: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = (value: string) =>
    setSearch((s) => {
      if (value) s.set('sort', value);
      else s.delete('sort');
      return s;
    }, { replace: true });
  return [search.get('sort') ?? '', set];
}

/** ListPage is a list of one kind of thing: filter, values, the rows, what to do with them, and what is new since it was read. */
export function ListPage<T extends { id: string }>(p: Props<T>) {
  const [project] = useProject();
  const navigate = useNavigate();
  const [q, setQ] = useFilter();
  const [sort, setSort] = useSort();
  const [open, setOpen] = useFacetsOpen(p.path);
  const params = { project, q, sort };
  const pages = usePages<T>(p.path, params);
  const fresh = useFresh<T>(p.path, params, p.live === true);
  const rows = useMemo(() => pages.data?.pages.flatMap((x) => x.items).map((r) => fresh.get(r.id) ?? r) ?? [], [pages.data, fresh]);
  const total = pages.data?.pages[0]?.total;
  const news = useNews(p.path, params, pages.isPlaceholderData || pages.isFetching ? undefined : total);
  const columns = useColumns(p.path, p.columns, project !== '');
  const order = useMemo(() => rows.map((r) => r.id), [rows]);
  const selection = useSelection(order);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const empty = q !== '' ? <Empty title={t.list.noMatch(p.noun.many)}>{t.list.noMatchText}</Empty> : <Empty title={t.list.none(p.noun.many)} next={p.next}>{p.emptyText}</Empty>;
  const fields = [...new Set(columns.shown.flatMap((c) => c.fields ?? [c.id]).map((f) => (f === 'project' ? 'projectId' : f)))];
  return (
    <>
      <PageHead title={p.noun.title} note={total !== undefined && count(total)}>{p.actions}</PageHead>
      <div className={classes.bar}>
        <FilterBox kind={p.path.slice(1)} value={q} onChange={setQ} label={t.list.filter(p.noun.many)} />
        {p.filters}
        {pages.isFetching && !pages.isPending && <Loader size={14} aria-label={t.states.loading} />}
        <News n={news} reload={() => void pages.refetch()} />
        <span className={classes.space} />
        <span className={classes.tools}>
          {p.viewSwitch}
          {p.facets && <FacetsButton open={open} onChange={setOpen} />}
          <SavedSearches path={p.path} />
          {!p.view && <ColumnPicker {...columns} />}
          <ExportMenu path={p.path} noun={p.noun} total={total ?? 0} params={params} fields={fields} />
        </span>
      </div>
      {p.marks && <BulkBar path={p.path} noun={p.noun} selection={selection} rows={rows as unknown as Seen[]} total={total ?? 0} q={q} />}
      {p.bulk?.(selection, rows)}
      <div className={classes.body}>
        {open && p.facets && (q !== '' || total !== 0) && <Facets path={p.path} fields={p.facets} q={q} onChange={setQ} />}
        {pages.isPending ? <Loading /> : pages.error && rows.length === 0 ? (
          <Problem error={pages.error} retry={() => void pages.refetch()} />
        ) : p.view && rows.length > 0 ? p.view(rows, more) : (
          <DataTable
            label={p.noun.title}
            columns={columns.shown}
            rows={rows}
            total={total ?? 0}
            idOf={(r) => r.id}
            open={p.onOpen ?? (p.to && ((r) => void navigate(p.to!(r))))}
            selection={p.marks || p.bulk ? selection : undefined}
            more={more}
            sort={sort}
            onSort={setSort}
            empty={empty}
          />
        )}
      </div>
    </>
  );
}
