import { Badge } from '@mantine/core';
import type { Seen } from '~/api/types';
import { t } from '~/text';
import classes from './Tags.module.css';

interface Decided extends Seen {
  blocked: boolean;
  blockedBelow: boolean;
  closed?: boolean;
  mergedInto?: string;
}

/** Marked shows what was decided about a resource, or that it is gone. */
export function Marked({ of: r }: { of: Decided }) {
  const words = [
    r.blocked && (r.blockedBelow ? t.marks.blockedBelow : t.marks.blocked),
    r.mergedInto && t.marks.merged,
    r.closed && t.marks.closed,
  ].filter((w) => typeof w === 'string');
  if (words.length === 0) return null;
  return (
    <span className={classes.marks}>
      {words.map((w) => <Badge key={w} color="gray" className={classes.tag}>{w}</Badge>)}
    </span>
  );
}

const week = 7 * 86_400_000;

/** New marks what was first seen within a week. */
export function New({ since }: { since: string }) {
  return Date.now() - Date.parse(since) < week && <Badge color="teal">{t.marks.isNew}</Badge>;
}
