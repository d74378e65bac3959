import { Suspense, useSyncExternalStore } from 'react';
import { later } from './later';
import { wanted } from './notify';

const Notifications = later(() => import('@mantine/notifications').then((m) => ({ default: m.Notifications })));

/** Toasts is where notify speaks, once it did. */
export function Toasts() {
  const on = useSyncExternalStore(wanted.subscribe, wanted.get);
  return on && <Suspense><Notifications position="bottom-right" limit={4} /></Suspense>;
}
