import { Link } from 'react-router';
import type { Website } from '~/api/types';
import { ListPage } from '~/components/ListPage';
import { seenColumns } from '~/components/seen';
import { StatusCode } from '~/components/StatusCode';
import type { Column } from '~/components/table';
import { daysUntil } from '~/lib/time';
import { t } from '~/text';
import classes from './Websites.module.css';

const to = (w: Website) => `/websites/${w.id}`;

const columns: Column<Website>[] = [
  { id: 'url', label: t.website.url, width: 240, grow: 2, narrow: 'first', cell: (w) => <Link className="link mono" to={to(w)}>{w.url}</Link> },
  { id: 'status', label: t.website.status, width: 70, narrow: 'first', cell: (w) => <StatusCode code={w.status} /> },
  { id: 'title', label: t.website.title, width: 140, grow: 1.4, narrow: 'second', cell: (w) => w.title || <span className="faint">–</span> },
  { id: 'technologies', label: t.website.technologies, width: 140, grow: 1.2, cell: (w) => w.technologies.join(', ') || <span className="faint">–</span> },
  { id: 'server', label: t.website.server, width: 110, grow: 0.8, optional: true, cell: (w) => w.server || <span className="faint">–</span> },
  { id: 'certificate', label: t.website.certificate, width: 140, cell: (w) => <Expiry website={w} /> },
  ...seenColumns<Website>(),
];

/** Expiry draws the eye only to certificates that end soon. */
export function Expiry({ website: { certificate } }: { website: Website }) {
  if (!certificate) return <span className="faint">–</span>;
  const days = daysUntil(certificate.notAfter);
  const text = t.website.expires(days);
  if (days > 30) return <span className="faint num">{text}</span>;
  return <span className={classes.soon} data-past={days < 0 || undefined}>{text}</span>;
}

export default function Websites() {
  return <ListPage path="/websites" noun={t.nouns.website} columns={columns} to={to} search={t.website.search} emptyText={t.website.empty} />;
}
