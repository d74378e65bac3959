import { Button, Center } from '@mantine/core';
import { usePages, useNews } from '~/api/queries';
import type { Finding } from '~/api/types';
import { count } from '~/lib/number';
import { t } from '~/text';
import { FindingCard } from './FindingCard';
import { Panel } from './Panel';
import { Empty, Loading, Problem } from './States';

/** FindingsPanel is everything said about one resource, or by one execution, newest first. */
export function FindingsPanel({ params, about }: { params: { target?: string; execution?: string }; about?: boolean }) {
  const pages = usePages<Finding>('/findings', params);
  const items = pages.data?.pages.flatMap((p) => p.items) ?? [];
  const total = pages.data?.pages[0]?.total;
  const news = useNews('/findings', params, total);
  return (
    <Panel
      title={t.resource.findings}
      note={total !== undefined && count(total)}
      actions={news > 0 && <Button variant="light" size="compact-xs" onClick={() => void pages.refetch()}>{t.list.news(count(news))}</Button>}
      flush
    >
      {pages.isPending ? <Loading /> : pages.error ? (
        <Problem error={pages.error} retry={() => void pages.refetch()} />
      ) : (
        items.map((f) => <FindingCard key={f.id} finding={f} about={about} />)
      )}
      {total === 0 && <Empty title={t.resource.noFindings} />}
      {pages.hasNextPage && (
        <Center p="sm">
          <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>{t.actions.more}</Button>
        </Center>
      )}
    </Panel>
  );
}
