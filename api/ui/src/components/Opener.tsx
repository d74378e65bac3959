import type { ReactNode } from 'react';
import { openDialog, type Opened } from '~/app/dialogs';

export type { Opened };

interface Props {
  button: (open: () => void) => ReactNode;
  /** the dialog; it is drawn, and so fetched, when it is opened */
  children: (state: Opened) => ReactNode;
}

/** Opener is a button and the dialog it opens, which stays when the button goes. */
export function Opener({ button, children }: Props) {
  return button(() => openDialog(children));
}
