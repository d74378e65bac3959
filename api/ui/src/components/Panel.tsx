import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Panel.module.css';

interface Props {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** content brings its own space to the edges */
  flush?: boolean;
}

/** Panel is a titled part of a page. */
export function Panel({ title, note, actions, children, flush }: Props) {
  return (
    <section className={classes.panel} aria-label={title}>
      <header className={classes.head}>
        <Title order={2}>{title}</Title>
        {note !== undefined && <span className={classes.note}>{note}</span>}
        {actions && <span className={classes.actions}>{actions}</span>}
      </header>
      <div className={flush ? undefined : classes.body}>{children}</div>
    </section>
  );
}
