import { createBrowserRouter, type RouteObject } from 'react-router';
import { again } from '~/lib/again';
import { Fallback } from './Fallback';
import { rest } from './later';
import { NotFound } from './NotFound';
import { Shell } from './Shell';

type Load = () => Promise<{ default: React.ComponentType }>;

/** page loads a page, and the styles the first one does without, when it is first visited. */
function page(path: string, load: Load): RouteObject {
  return { path, lazy: () => Promise.all([again(load), rest()]).then(([m]) => ({ Component: m.default })) };
}

/** first loads a page that needs nothing but what the frame brings. */
function first(path: string, load: Load): RouteObject {
  return { path, lazy: () => again(load).then((m) => ({ Component: m.default })) };
}

const pages: RouteObject[] = [
  first('/', () => import('~/pages/Dashboard')),
  page('/domains', () => import('~/pages/Domains')),
  page('/domains/:id', () => import('~/pages/Domain')),
  page('/hosts', () => import('~/pages/Hosts')),
  page('/hosts/:id', () => import('~/pages/Host')),
  page('/ip-ranges', () => import('~/pages/Ranges')),
  page('/ip-ranges/:id', () => import('~/pages/Range')),
  page('/ports', () => import('~/pages/Ports')),
  page('/ports/:id', () => import('~/pages/Port')),
  page('/websites', () => import('~/pages/Websites')),
  page('/websites/:id', () => import('~/pages/Website')),
  page('/findings', () => import('~/pages/Findings')),
  page('/changes', () => import('~/pages/Changes')),
  page('/executions', () => import('~/pages/Executions')),
  page('/executions/:id', () => import('~/pages/Execution')),
  page('/jobs', () => import('~/pages/Jobs')),
  page('/jobs/new', () => import('~/pages/NewJob')),
  page('/jobs/:id', () => import('~/pages/Job')),
  page('/subscriptions', () => import('~/pages/Subscriptions')),
  page('/subscriptions/new', () => import('~/pages/NewSubscription')),
  page('/subscriptions/:id', () => import('~/pages/Subscription')),
  page('/secrets', () => import('~/pages/Secrets')),
  page('/notifications', () => import('~/pages/Notifications')),
  page('/notifications/new', () => import('~/pages/NewNotification')),
  page('/notifications/:id', () => import('~/pages/Notification')),
  page('/schedule', () => import('~/pages/Schedule')),
  page('/sources', () => import('~/pages/Sources')),
  page('/sources/:id', () => import('~/pages/Source')),
  page('/users', () => import('~/pages/Users')),
  page('/users/:id', () => import('~/pages/User')),
  page('/groups', () => import('~/pages/Groups')),
  page('/settings', () => import('~/pages/Settings')),
  page('/audit', () => import('~/pages/Audit')),
  page('/profile', () => import('~/pages/Profile')),
  page('/projects', () => import('~/pages/Projects')),
  page('/projects/:id', () => import('~/pages/Project')),
];

export function makeRouter() {
  return createBrowserRouter([
    page('/login', () => import('~/pages/Login')),
    page('/set-password', () => import('~/pages/SetPassword')),
    page('/setup', () => import('~/pages/Setup')),
    {
      Component: Shell,
      HydrateFallback: () => null,
      children: [{ ErrorBoundary: Fallback, children: [...pages, { path: '*', Component: NotFound }] }],
    },
  ]);
}
