import { ActionIcon, Tooltip } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { AuditEvent } from '~/api/access';
import { get, urlOf } from '~/api/client';
import { useProject } from '~/app/project';
import { DataTable } from '~/components/DataTable';
import classes from '~/components/ListPage.module.css';
import { PageHead } from '~/components/PageHead';
import { SearchBox } from '~/components/SearchBox';
import { Empty, Loading, Problem } from '~/components/States';
import type { Column } from '~/components/table';
import { exactly } from '~/lib/time';
import { t } from '~/text';

const columns: Column<AuditEvent>[] = [
  { id: 'at', label: t.audit.at, width: 190, narrow: 'second', cell: (e) => <span className="num">{exactly(e.at)}</span> },
  { id: 'actor', label: t.audit.actor, width: 180, grow: 1, narrow: 'first', cell: (e) => e.actor || <span className="faint">–</span> },
  { id: 'action', label: t.audit.action, width: 170, grow: 0.8, narrow: 'first', cell: (e) => e.action },
  { id: 'status', label: t.audit.status, width: 90, cell: (e) => <span className="mono" style={{ color: e.status >= 400 ? 'var(--bad)' : undefined }}>{e.status}</span> },
  { id: 'target', label: t.audit.target, width: 220, grow: 1.6, narrow: 'second', cell: (e) => <span className="mono">{e.target}</span> },
  { id: 'address', label: t.audit.address, width: 130, cell: (e) => <span className="mono">{e.address}</span> },
  { id: 'via', label: t.audit.via, width: 120, grow: 0.5, cell: (e) => <span className="faint">{e.via}</span> },
];

/** Audit is every change and every login, done or refused. */
export default function Audit() {
  const [search, setSearch] = useSearchParams();
  const [project] = useProject();
  const q = search.get('q') ?? '';
  const params = { q, project };
  const pages = useInfiniteQuery({
    queryKey: ['audit', params],
    queryFn: ({ pageParam, signal }) => get<{ items: AuditEvent[]; next?: string }>('/audit', { ...params, limit: 100, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  });
  const rows = useMemo(() => pages.data?.pages.flatMap((p) => p.items) ?? [], [pages.data]);
  const setQ = (text: string) => setSearch((s) => {
    if (text) s.set('q', text);
    else s.delete('q');
    return s;
  }, { replace: true });
  return (
    <>
      <PageHead title={t.audit.title} />
      <div className={classes.bar}>
        <SearchBox value={q} onChange={setQ} label={t.audit.search} />
        <span className={classes.space} />
        <Tooltip label={t.audit.export}><ActionIcon size="lg" component="a" href={urlOf('/audit/export', { ...params, format: 'csv' })} download="audit.csv" aria-label={t.audit.export}><IconDownload size={17} stroke={1.6} /></ActionIcon></Tooltip>
      </div>
      {pages.isPending ? <Loading /> : pages.error ? <Problem error={pages.error} retry={() => void pages.refetch()} /> : (
        <DataTable
          label={t.audit.title} columns={columns} rows={rows} total={rows.length} idOf={(e) => String(e.seq)}
          more={() => pages.hasNextPage && !pages.isFetchingNextPage && void pages.fetchNextPage()}
          empty={<Empty title={t.list.noMatch(t.audit.many)} />}
        />
      )}
    </>
  );
}
