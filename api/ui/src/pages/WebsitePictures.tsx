import { useElementSize } from '@mantine/hooks';
import { IconPhotoOff } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect } from 'react';
import { Link } from 'react-router';
import { useScreenshot } from '~/api/screenshot';
import type { Website } from '~/api/types';
import { Marked } from '~/components/Marked';
import { StatusCode } from '~/components/StatusCode';
import { t } from '~/text';
import classes from './WebsitePictures.module.css';

const width = 280;

/** WebsitePictures shows what websites look like; pictures are fetched for cards in sight. */
export default function WebsitePictures({ rows, more }: { rows: Website[]; more: () => void }) {
  const { ref, width: room } = useElementSize();
  const across = Math.max(1, Math.floor(room / width));
  const lines = Math.ceil(rows.length / across);
  const virtual = useVirtualizer({ count: lines, getScrollElement: () => ref.current as HTMLDivElement | null, estimateSize: () => 236, overscan: 2 });
  const items = virtual.getVirtualItems();
  const near = lines > 0 && (items.at(-1)?.index ?? -1) >= lines - 4;
  useEffect(() => {
    if (near) more();
  }, [near, more, rows.length]);
  return (
    <div className={classes.scroller} ref={ref} tabIndex={0} role="region" aria-label={t.nouns.website.title}>
      <div className={classes.all} style={{ height: virtual.getTotalSize() }}>
        {items.map((line) => (
          <ul key={line.key} className={classes.line} style={{ transform: `translateY(${line.start}px)`, gridTemplateColumns: `repeat(${across}, 1fr)` }}>
            {rows.slice(line.index * across, (line.index + 1) * across).map((w) => <Card key={w.id} website={w} />)}
          </ul>
        ))}
      </div>
    </div>
  );
}

function Card({ website: w }: { website: Website }) {
  const picture = useScreenshot(w.screenshot);
  return (
    <li className={classes.card}>
      <Link to={`/websites/${w.id}`} className={classes.frame} tabIndex={-1} aria-hidden>
        {picture ? <img src={picture} alt="" /> : <span className={classes.none}><IconPhotoOff size={18} stroke={1.4} />{t.list.noPicture}</span>}
      </Link>
      <div className={classes.name}>
        <Link className="link mono" to={`/websites/${w.id}`}>{w.url}</Link>
        <StatusCode code={w.status} />
      </div>
      <div className={classes.about}>{w.title || w.technologies.join(', ') || '–'}<Marked of={w} /></div>
    </li>
  );
}
