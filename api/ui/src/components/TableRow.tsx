import { Checkbox } from '@mantine/core';
import { memo, type MouseEvent } from 'react';
import { t } from '~/text';
import classes from './DataTable.module.css';
import type { Column } from './table';
import type { Selection } from './useSelection';

interface Props<T> {
  row: T;
  index: number;
  id: string;
  top: number;
  height: number;
  columns: Column<T>[];
  narrow: boolean;
  active: boolean;
  selection?: Selection;
  open?: (row: T) => void;
}

function Row<T>({ row, index, id, top, height, columns, narrow, active, selection, open }: Props<T>) {
  const click = (e: MouseEvent) => {
    const control = (e.target as Element).closest('a, button, input, label');
    const reading = window.getSelection()?.isCollapsed === false;
    if (!control && !reading && !e.ctrlKey && !e.metaKey) open?.(row);
  };
  return (
    // the keyboard reaches rows through the table, which knows which are not drawn
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selection?.has(id)}
      className={classes.row}
      data-active={active || undefined}
      data-chosen={selection?.has(id) || undefined}
      data-opens={open ? true : undefined}
      style={{ height, transform: `translateY(${top}px)` }}
      onClick={click}
    >
      {selection && (
        <div role="cell" className={classes.check}>
          <Checkbox
            size="xs"
            aria-label={t.list.selectRow}
            checked={selection.has(id)}
            onClick={(e) => e.shiftKey && selection.extend(id)}
            onChange={(e) => !(e.nativeEvent as globalThis.MouseEvent).shiftKey && selection.toggle(id)}
          />
        </div>
      )}
      {narrow ? <Stacked row={row} columns={columns} /> : columns.map((c) => (
        <div key={c.id} role="cell" className={classes.cell} data-align={c.align}>{c.cell(row)}</div>
      ))}
    </div>
  );
}

/** TableRow is one row: cells side by side, or in two lines where there is no room. */
export const TableRow = memo(Row) as typeof Row;

function Stacked<T>({ row, columns }: { row: T; columns: Column<T>[] }) {
  return (
    <div role="cell" className={classes.stacked}>
      <div className={classes.line}>
        {columns.filter((c) => c.narrow === 'first').map((c) => <span key={c.id}>{c.cell(row)}</span>)}
      </div>
      <div className={classes.second}>
        {columns.filter((c) => c.narrow === 'second').map((c) => <span key={c.id}>{c.cell(row)}</span>)}
      </div>
    </div>
  );
}
