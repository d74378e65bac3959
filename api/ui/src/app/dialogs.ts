// Dialogs outlive what opened them: the button in an empty list is gone as soon as
// the list is not empty any more, and the dialog still has something to say.
import type { ReactNode } from 'react';

export interface Opened {
  opened: boolean;
  onClose: () => void;
}

export interface Entry {
  id: number;
  opened: boolean;
  draw: (state: Opened) => ReactNode;
}

let entries: readonly Entry[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Entry[]) {
  entries = next;
  listeners.forEach((l) => l());
}

/** openDialog draws a dialog over the page, in place of those that were closed. */
export function openDialog(draw: Entry['draw']) {
  set([...entries.filter((e) => e.opened), { id: ++last, opened: true, draw }]);
}

/** closeDialog lets a dialog go away as it likes to. */
export const closeDialog = (id: number) => set(entries.map((e) => (e.id === id ? { ...e, opened: false } : e)));

export const closeDialogs = () => entries.some((e) => e.opened) && set(entries.map((e) => ({ ...e, opened: false })));

export const dialogs = {
  subscribe: (l: () => void) => {
    listeners.add(l);
    return () => listeners.delete(l);
  },
  get: () => entries,
};
