import { SegmentedControl, VisuallyHidden } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconLayoutGrid, IconList } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import type { Website } from '~/api/types';
import { ListPage } from '~/components/ListPage';
import { seenColumns } from '~/components/seen';
import { Loading } from '~/components/States';
import { t } from '~/text';
import { toWebsite, websiteColumns } from './websiteColumns';
import { AddTargets } from './AddTargets';

const Pictures = lazy(() => import('./WebsitePictures'));

const columns = [...websiteColumns, ...seenColumns<Website>()];

const facets = [
  { field: 'technology', label: t.website.technologies },
  { field: 'status', label: t.website.status },
  { field: 'server', label: t.website.server },
  { field: 'port', label: t.website.port },
  { field: 'certificate.issuer', label: t.website.issuer },
  { field: 'tag', label: t.resource.tags },
];

type View = 'table' | 'grid';

export default function Websites() {
  const [view, setView] = useLocalStorage<View>({ key: 'stalker.websites', defaultValue: 'table', getInitialValueInEffect: false });
  const choice = (value: View, label: string, Icon: typeof IconList) => ({ value, label: <><Icon size={16} stroke={1.6} style={{ display: 'block' }} /><VisuallyHidden>{label}</VisuallyHidden></> });
  return (
    <ListPage
      path="/websites"
      noun={t.nouns.website}
      columns={columns}
      to={toWebsite}
      marks
      facets={facets}
      view={view === 'grid' ? (rows, more) => <Suspense fallback={<Loading />}><Pictures rows={rows} more={more} /></Suspense> : undefined}
      viewSwitch={
        <SegmentedControl
          size="xs" mr={6} value={view} onChange={(v) => setView(v as View)} aria-label={t.list.view}
          data={[choice('table', t.list.table, IconList), choice('grid', t.list.grid, IconLayoutGrid)]}
        />
      }
      emptyText={t.website.empty} next={<AddTargets first />}
    />
  );
}
