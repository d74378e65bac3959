import { useHotkeys } from '@mantine/hooks';
import { useState, type KeyboardEvent } from 'react';

interface Options {
  count: number;
  open: (index: number) => void;
  toggle: (index: number) => void;
  show: (index: number) => void;
}

/** useRowKeys moves through rows with j and k from anywhere on the page, and with the arrows inside the table. */
export function useRowKeys({ count, open, toggle, show }: Options) {
  const [active, setActive] = useState(-1);
  const to = (index: number) => {
    const next = Math.max(0, Math.min(count - 1, index));
    if (count === 0) return;
    setActive(next);
    show(next);
  };
  useHotkeys([
    ['j', () => to(active + 1)],
    ['k', () => to(active - 1)],
    ['x', () => active >= 0 && toggle(active)],
    ['o', () => active >= 0 && open(active)],
  ]);
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.target !== e.currentTarget) return;
    const moves: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: count - 1 };
    const move = moves[e.key];
    if (move !== undefined) to(move);
    else if (e.key === 'Enter' && active >= 0) open(active);
    else if (e.key === ' ' && active >= 0) toggle(active);
    else return;
    e.preventDefault();
  };
  return { active: active < count ? active : -1, onKeyDown };
}
