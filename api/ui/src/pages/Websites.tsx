import { SegmentedControl, VisuallyHidden } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconLayoutGrid, IconList } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { Link } from 'react-router';
import type { Website } from '~/api/types';
import { ListPage } from '~/components/ListPage';
import { Marked } from '~/components/Marked';
import { seenColumns } from '~/components/seen';
import { Loading } from '~/components/States';
import { StatusCode } from '~/components/StatusCode';
import type { Column } from '~/components/table';
import { daysUntil } from '~/lib/time';
import { t } from '~/text';
import classes from './Websites.module.css';

const Pictures = lazy(() => import('./WebsitePictures'));

const to = (w: Website) => `/websites/${w.id}`;
const dash = <span className="faint">–</span>;

const columns: Column<Website>[] = [
  { id: 'url', sort: 'domain', label: t.website.url, width: 260, grow: 3, narrow: 'first', cell: (w) => <><Link className="link mono" to={to(w)}>{w.url}</Link><Marked of={w} /></> },
  { id: 'status', sort: 'status', label: t.website.status, width: 70, narrow: 'first', cell: (w) => <StatusCode code={w.status} /> },
  { id: 'title', sort: 'title', label: t.website.title, width: 140, grow: 1.4, narrow: 'second', cell: (w) => w.title || dash },
  { id: 'technologies', label: t.website.technologies, width: 140, grow: 1.2, cell: (w) => w.technologies.join(', ') || dash },
  { id: 'server', sort: 'server', label: t.website.server, width: 110, grow: 0.8, optional: true, cell: (w) => w.server || dash },
  {
    id: 'certificate', sort: 'certificate.expires', fields: ['certificateSubject', 'certificateIssuer', 'certificateExpires'],
    label: t.website.certificate, width: 140, cell: (w) => <Expiry website={w} />,
  },
  ...seenColumns<Website>(),
];

const facets = [
  { field: 'technology', label: t.website.technologies },
  { field: 'status', label: t.website.status },
  { field: 'server', label: t.website.server },
  { field: 'port', label: t.website.port },
  { field: 'certificate.issuer', label: t.website.issuer },
  { field: 'tag', label: t.resource.tags },
];

/** Expiry draws the eye only to certificates that end soon. */
export function Expiry({ website: { certificate } }: { website: Website }) {
  if (!certificate) return dash;
  const days = daysUntil(certificate.notAfter);
  const text = t.website.expires(days);
  if (days > 30) return <span className="faint num">{text}</span>;
  return <span className={classes.soon} data-past={days < 0 || undefined}>{text}</span>;
}

type View = 'table' | 'grid';

export default function Websites() {
  const [view, setView] = useLocalStorage<View>({ key: 'stalker.websites', defaultValue: 'table', getInitialValueInEffect: false });
  const choice = (value: View, label: string, Icon: typeof IconList) => ({ value, label: <><Icon size={16} stroke={1.6} style={{ display: 'block' }} /><VisuallyHidden>{label}</VisuallyHidden></> });
  return (
    <ListPage
      path="/websites"
      noun={t.nouns.website}
      columns={columns}
      to={to}
      marks
      facets={facets}
      view={view === 'grid' ? (rows, more) => <Suspense fallback={<Loading />}><Pictures rows={rows} more={more} /></Suspense> : undefined}
      viewSwitch={
        <SegmentedControl
          size="xs" mr={6} value={view} onChange={(v) => setView(v as View)} aria-label={t.list.view}
          data={[choice('table', t.list.table, IconList), choice('grid', t.list.grid, IconLayoutGrid)]}
        />
      }
      emptyText={t.website.empty}
    />
  );
}
