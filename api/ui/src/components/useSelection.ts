import { useMemo, useRef, useState } from 'react';
import { between } from './table';

export interface Selection {
  ids: string[];
  has: (id: string) => boolean;
  toggle: (id: string) => void;
  /** chooses everything from the row chosen last to this one */
  extend: (id: string) => void;
  set: (ids: string[]) => void;
}

/** useSelection remembers which rows are chosen; order is that of the list on screen. */
export function useSelection(order: string[]): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const anchor = useRef<string>(undefined);
  return useMemo(() => {
    const toggle = (id: string) => {
      anchor.current = id;
      setChosen((was) => {
        const now = new Set(was);
        if (!now.delete(id)) now.add(id);
        return now;
      });
    };
    return {
      ids: [...chosen],
      has: (id) => chosen.has(id),
      toggle,
      extend: (id) => {
        const range = between(order, anchor.current ?? id, id);
        setChosen((was) => new Set([...was, ...range]));
      },
      set: (ids) => setChosen(new Set(ids)),
    };
  }, [chosen, order]);
}
