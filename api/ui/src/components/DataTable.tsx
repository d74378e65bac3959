import { Checkbox, UnstyledButton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type ReactNode } from 'react';
import { t } from '~/text';
import classes from './DataTable.module.css';
import { TableRow } from './TableRow';
import { template, type Column } from './table';
import { useRowKeys } from './useRowKeys';
import type { Selection } from './useSelection';

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  total: number;
  idOf: (row: T) => string;
  open?: (row: T) => void;
  selection?: Selection;
  more?: () => void;
  /** the term the rows are sorted by, with - in front for the other direction */
  sort?: string;
  onSort?: (sort: string) => void;
  empty: ReactNode;
}

const narrowQuery = '(max-width: 48em)';

/** DataTable draws only the rows in sight, and asks for more before the last one is. */
export function DataTable<T>(p: Props<T>) {
  const narrow = useMediaQuery(narrowQuery, window.matchMedia(narrowQuery).matches) ?? false;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: p.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? 58 : 36),
    overscan: 12,
    getItemKey: (i) => p.idOf(p.rows[i]!),
  });
  useEffect(() => virtual.measure(), [narrow, virtual]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  const { more } = p;
  const near = p.rows.length > 0 && last >= p.rows.length - 30;
  useEffect(() => {
    if (near) more?.();
  }, [near, more]);
  const keys = useRowKeys({
    count: p.rows.length,
    open: (i) => p.rows[i] && p.open?.(p.rows[i]),
    toggle: (i) => p.rows[i] && p.selection?.toggle(p.idOf(p.rows[i])),
    show: (i) => virtual.scrollToIndex(i),
  });
  const columns = `${p.selection ? '36px ' : ''}${template(p.columns)}`;
  return (
    <div className={classes.scroller} ref={scroller} tabIndex={0} role="region" aria-label={p.label} onKeyDown={keys.onKeyDown}>
      <div
        className={classes.table}
        role="table"
        aria-label={p.label}
        aria-rowcount={p.total + 1}
        style={{ '--columns': columns } as React.CSSProperties}
      >
        <div className={classes.head} role="row" aria-rowindex={1}>
          {p.selection && <SelectAll selection={p.selection} ids={p.rows.map(p.idOf)} />}
          {p.columns.map((c) => (
            <Head key={c.id} column={c} sort={p.sort ?? ''} onSort={p.onSort} />
          ))}
        </div>
        {p.rows.length === 0 ? (
          <div role="row"><div role="cell">{p.empty}</div></div>
        ) : (
          <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => (
              <TableRow
                key={item.key}
                row={p.rows[item.index]!}
                index={item.index}
                top={item.start}
                height={item.size}
                id={String(item.key)}
                columns={p.columns}
                narrow={narrow}
                active={keys.active === item.index}
                selection={p.selection}
                open={p.open}
              />
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

function Head<T>({ column: c, sort, onSort }: { column: Column<T>; sort: string; onSort?: (sort: string) => void }) {
  const up = sort === c.sort;
  const down = sort === `-${c.sort}`;
  const Arrow = down ? IconArrowDown : IconArrowUp;
  return (
    <div role="columnheader" className={classes.cell} data-align={c.align} aria-sort={up ? 'ascending' : down ? 'descending' : undefined}>
      {c.sort && onSort ? (
        <UnstyledButton className={classes.sort} title={t.list.sortBy(c.label)} onClick={() => onSort(up ? `-${c.sort}` : down ? '' : c.sort!)}>
          {c.label}
          {(up || down) && <Arrow size={13} aria-hidden />}
        </UnstyledButton>
      ) : c.label}
    </div>
  );
}

function SelectAll({ selection, ids }: { selection: Selection; ids: string[] }) {
  const chosen = ids.filter((id) => selection.has(id)).length;
  return (
    <div role="columnheader" className={classes.check}>
      <Checkbox
        size="xs"
        aria-label={t.list.selectAll}
        checked={chosen > 0 && chosen === ids.length}
        indeterminate={chosen > 0 && chosen < ids.length}
        onChange={(e) => selection.set(e.currentTarget.checked ? ids : [])}
      />
    </div>
  );
}
