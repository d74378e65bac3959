import { Button, Center } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Change } from '~/api/types';
import { byDay, together, type Event } from '~/lib/changes';
import { count } from '~/lib/number';
import { clock } from '~/lib/time';
import { t } from '~/text';
import classes from './ChangeList.module.css';
import { KeyLink } from './Links';

interface Props {
  changes: Change[];
  /** the changes are of one resource, which needs no name */
  own?: boolean;
}

const step = 200;

/** ChangeList tells what happened, by day, the latest first. */
export function ChangeList({ changes, own = false }: Props) {
  const [shown, setShown] = useState(step);
  return (
    <>
      {byDay(changes.slice(0, shown)).map(([day, items]) => (
        <section key={day} aria-label={day}>
          <h3 className={classes.day}>{day}</h3>
          <ul className={classes.list}>
            {together(items).map((e, i) => <Row key={`${e.first.at}${e.first.resourceId}${i}`} event={e} own={own} />)}
          </ul>
        </section>
      ))}
      {changes.length > shown && (
        <Center p="sm"><Button variant="default" onClick={() => setShown(shown + 5 * step)}>{t.changes.more(count(changes.length - shown))}</Button></Center>
      )}
    </>
  );
}

function Row({ event: { first: c, rest }, own }: { event: Event; own: boolean }) {
  const about = [c, ...rest].filter((x) => x.attribute);
  return (
    <li className={classes.row} data-what={c.what}>
      <time dateTime={c.at} className={classes.time}>{clock(c.at).slice(0, 8)}</time>
      <span className={classes.dot} aria-hidden />
      <div className={classes.said}>
        {!own && <KeyLink of={c.correlationKey} />}
        <span>{t.changes.what[c.what](t.changes.kinds[c.kind])}</span>
        {about.map((x, i) => <Attribute key={`${x.attribute}${i}`} change={x} />)}
      </div>
      {c.cause && /^[0-9a-f]{24}$/.test(c.cause) && <Link className="link faint" to={`/executions/${c.cause}`}>{t.changes.cause}</Link>}
    </li>
  );
}

function Attribute({ change: { attribute = '', before, after } }: { change: Change }) {
  const [name = '', ...rest] = attribute.split(':');
  const value = rest.join(':');
  return (
    <span className={classes.attribute}>
      <span className="faint">{name}</span>
      {value && <span className="mono">{value}</span>}
      {before && <del className="mono">{before}</del>}
      {after && !value && <ins className="mono">{after}</ins>}
    </span>
  );
}
