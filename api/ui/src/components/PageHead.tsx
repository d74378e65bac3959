import { Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconChevronRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { t } from '~/text';
import classes from './PageHead.module.css';

interface Props {
  title: string;
  /** the list the page belongs to */
  up?: { to: string; label: string };
  mono?: boolean;
  note?: ReactNode;
  children?: ReactNode;
}

/** PageHead names the page, in the page and in the browser's tab, and holds its actions. */
export function PageHead({ title, up, mono, note, children }: Props) {
  useDocumentTitle(`${title} · ${t.product}`);
  return (
    <header className={classes.head}>
      <div className={classes.name}>
        {up && (
          <>
            <Link to={up.to} className={classes.up}>{up.label}</Link>
            <IconChevronRight size={14} className={classes.sep} aria-hidden />
          </>
        )}
        <Title order={1} className={classes.title} ff={mono ? 'monospace' : undefined}>{title}</Title>
        {note && <span className={classes.note}>{note}</span>}
      </div>
      {children && <div className={classes.actions}>{children}</div>}
    </header>
  );
}
