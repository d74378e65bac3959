import { Suspense, useEffect, useSyncExternalStore } from 'react';
import { useLocation } from 'react-router';
import { closeDialog, closeDialogs, dialogs } from './dialogs';

/** Dialogs draws what openDialog was given; another page closes them. */
export function Dialogs() {
  const entries = useSyncExternalStore(dialogs.subscribe, dialogs.get);
  const { pathname } = useLocation();
  useEffect(() => () => void closeDialogs(), [pathname]);
  return entries.map((e) => <Suspense key={e.id}>{e.draw({ opened: e.opened, onClose: () => closeDialog(e.id) })}</Suspense>);
}
