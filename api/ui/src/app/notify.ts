// Words in the corner of the screen. What draws them is fetched when there is something to say.
import type { NotificationData } from '@mantine/notifications';
import { t } from '~/text';

let shown = false;
const listeners = new Set<() => void>();

/** notify says something; the first time it also fetches what shows it. */
export async function notify(data: NotificationData): Promise<void> {
  const [{ notifications }] = await Promise.all([import('@mantine/notifications'), import('./mantine-rest')]);
  shown = true;
  listeners.forEach((l) => l());
  notifications.show({ closeButtonProps: { 'aria-label': t.actions.close }, ...data });
}

/** hide takes a notification away before its time. */
export async function hide(id: string): Promise<void> {
  (await import('@mantine/notifications')).notifications.hide(id);
}

export const wanted = {
  subscribe: (l: () => void) => {
    listeners.add(l);
    return () => listeners.delete(l);
  },
  get: () => shown,
};
