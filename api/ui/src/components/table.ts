// What a list shows of a row. Columns with grow share what the others leave.
import type { ReactNode } from 'react';

export interface Column<T> {
  id: string;
  label: string;
  cell: (row: T) => ReactNode;
  /** smallest width in px */
  width: number;
  grow?: number;
  align?: 'right';
  /** where it goes on a narrow screen: the first line, the second, or nowhere */
  narrow?: 'first' | 'second';
  /** the term lists are sorted by */
  sort?: string;
  /** what an export calls it, when not as here; empty when it has no such column */
  fields?: string[];
  /** hidden until chosen */
  optional?: boolean;
}

export const template = (columns: Column<never>[]) =>
  columns.map((c) => (c.grow ? `minmax(${c.width}px, ${c.grow}fr)` : `${c.width}px`)).join(' ');

/** between returns the ids from one row to another, for a click with Shift. */
export function between(ids: string[], from: string, to: string): string[] {
  const a = ids.indexOf(from);
  const b = ids.indexOf(to);
  return a < 0 || b < 0 ? [to] : ids.slice(Math.min(a, b), Math.max(a, b) + 1);
}
