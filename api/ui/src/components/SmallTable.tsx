import { Table } from '@mantine/core';
import { useNavigate } from 'react-router';
import { Empty, Loading, Problem } from './States';
import classes from './SmallTable.module.css';
import type { Column } from './table';

interface Props<T> {
  label: string;
  rows?: T[];
  error?: Error | null;
  columns: Column<T>[];
  to?: (row: T) => string;
  empty: string;
  /** nothing in it takes the focus, which scrolling by keys needs */
  focusable?: boolean;
}

/** SmallTable is a table inside a page, for rows that are few. */
export function SmallTable<T extends { id: string }>({ label, rows, error, columns, to, empty, focusable }: Props<T>) {
  const navigate = useNavigate();
  if (error && !rows) return <Problem error={error} />;
  if (!rows) return <Loading />;
  if (rows.length === 0) return <Empty title={empty} />;
  return (
    <div className={classes.scroll} tabIndex={focusable ? 0 : undefined}>
      <Table className={classes.table} aria-label={label}>
        <Table.Thead>
          <Table.Tr>{columns.map((c) => <Table.Th key={c.id} ta={c.align}>{c.label}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((r) => (
            <Table.Tr key={r.id} className={to && classes.opens} onClick={(e) => !(e.target as Element).closest('a, button') && to && void navigate(to(r))}>
              {columns.map((c) => <Table.Td key={c.id} ta={c.align}>{c.cell(r)}</Table.Td>)}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
