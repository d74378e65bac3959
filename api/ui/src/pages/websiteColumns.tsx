// What lists of websites show.
import { Link } from 'react-router';
import type { Website } from '~/api/types';
import { Marked } from '~/components/Marked';
import { StatusCode } from '~/components/StatusCode';
import type { Column } from '~/components/table';
import { daysUntil } from '~/lib/time';
import { t } from '~/text';
import classes from './Websites.module.css';

export const toWebsite = (w: Website) => `/websites/${w.id}`;
const dash = <span className="faint">–</span>;

export const websiteColumns: Column<Website>[] = [
  { id: 'url', sort: 'domain', label: t.website.url, width: 260, grow: 3, narrow: 'first', cell: (w) => <><Link className="link mono" to={toWebsite(w)}>{w.url}</Link><Marked of={w} /></> },
  { id: 'status', sort: 'status', label: t.website.status, width: 70, narrow: 'first', cell: (w) => <StatusCode code={w.status} /> },
  { id: 'title', sort: 'title', label: t.website.title, width: 140, grow: 1.4, narrow: 'second', cell: (w) => w.title || dash },
  { id: 'technologies', label: t.website.technologies, width: 140, grow: 1.2, cell: (w) => w.technologies.join(', ') || dash },
  { id: 'server', sort: 'server', label: t.website.server, width: 110, grow: 0.8, optional: true, cell: (w) => w.server || dash },
  {
    id: 'certificate', sort: 'certificate.expires', fields: ['certificateSubject', 'certificateIssuer', 'certificateExpires'],
    label: t.website.certificate, width: 140, cell: (w) => <Expiry website={w} />,
  },
];

/** Expiry draws the eye only to certificates that end soon. */
export function Expiry({ website: { certificate } }: { website: Website }) {
  if (!certificate) return dash;
  const days = daysUntil(certificate.notAfter);
  const text = t.website.expires(days);
  if (days > 30) return <span className="faint num">{text}</span>;
  return <span className={classes.soon} data-past={days < 0 || undefined}>{text}</span>;
}
