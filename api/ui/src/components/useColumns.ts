import { useLocalStorage } from '@mantine/hooks';
import type { Column } from './table';

export interface Columns<T> {
  all: Column<T>[];
  shown: Column<T>[];
  toggle: (id: string) => void;
}

/** useColumns remembers per list which columns a person wants. The project column means nothing inside one project. */
export function useColumns<T>(list: string, all: Column<T>[], inProject: boolean): Columns<T> {
  const usable = all.filter((c) => !(inProject && c.id === 'project'));
  const [hidden, setHidden] = useLocalStorage<string[]>({
    key: `stalker.columns${list}`,
    defaultValue: all.filter((c) => c.optional).map((c) => c.id),
    getInitialValueInEffect: false,
  });
  const toggle = (id: string) => setHidden((h) => (h.includes(id) ? h.filter((x) => x !== id) : [...h, id]));
  return { all: usable, shown: usable.filter((c, i) => i === 0 || !hidden.includes(c.id)), toggle };
}
