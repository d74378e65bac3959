// Parts of the interface that are fetched when they are first wanted, with the styles
// the first load leaves out.
import { lazy, type ComponentType } from 'react';
import { again } from '~/lib/again';

/** rest fetches the styles of everything that is not in the first load, once. */
export const rest = () => again(() => import('./mantine-rest'));

type Any = ComponentType<any>;

/** later is a component that comes with its styles when it is first drawn. */
export function later<C extends Any>(load: () => Promise<{ default: C }>) {
  return lazy(() => Promise.all([again(load), rest()]).then(([m]) => m));
}
