import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import type { Page } from '~/api/types';
import { count } from '~/lib/number';
import { t, type Noun } from '~/text';
import { DataTable } from './DataTable';
import classes from './ListPage.module.css';
import { PageHead } from './PageHead';
import { SearchBox } from './SearchBox';
import { Empty, Loading, Problem } from './States';
import type { Column } from './table';

interface Props<T> {
  noun: Noun;
  list: UseQueryResult<Page<T>> | UseQueryResult<T[]>;
  columns: Column<T>[];
  to: (row: T) => string;
  search: string;
  textOf: (row: T) => string;
  empty: string;
  emptyText?: string;
  next?: ReactNode;
  actions?: ReactNode;
}

/** DefinitionList is a list short enough to come whole and be searched here. */
export function DefinitionList<T extends { id: string }>(p: Props<T>) {
  const [search, setSearch] = useSearchParams();
  const navigate = useNavigate();
  const q = search.get('q') ?? '';
  const all = Array.isArray(p.list.data) ? p.list.data : p.list.data?.items;
  const rows = all?.filter((r) => p.textOf(r).toLowerCase().includes(q.toLowerCase()));
  const setQ = (text: string) => setSearch((s) => {
    if (text) s.set('q', text);
    else s.delete('q');
    return s;
  }, { replace: true });
  return (
    <>
      <PageHead title={p.noun.title} note={rows && count(rows.length)}>{p.actions}</PageHead>
      <div className={classes.bar}>
        <SearchBox value={q} onChange={setQ} label={p.search} />
      </div>
      {p.list.error && !rows ? <Problem error={p.list.error} retry={() => void p.list.refetch()} /> : !rows ? <Loading /> : (
        <DataTable
          label={p.noun.title}
          columns={p.columns}
          rows={rows}
          total={rows.length}
          idOf={(r) => r.id}
          open={(r) => void navigate(p.to(r))}
          empty={q ? <Empty title={t.list.noMatch(p.noun.many)} /> : <Empty title={p.empty} next={p.next}>{p.emptyText}</Empty>}
        />
      )}
    </>
  );
}
