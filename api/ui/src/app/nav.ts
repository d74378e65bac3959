// The pages of the frame, once for the side bar and the command palette.
import {
  IconAffiliate,
  IconBell,
  IconBolt,
  IconBrowser,
  IconCalendarTime,
  IconFileSearch,
  IconFolders,
  IconGitBranch,
  IconHistory,
  IconKey,
  IconListDetails,
  IconLayoutDashboard,
  IconNetwork,
  IconPlug,
  IconScript,
  IconServer2,
  IconSettings,
  IconUsers,
  IconUsersGroup,
  IconWorld,
} from '@tabler/icons-react';
import { t } from '~/text';

export interface NavEntry {
  to: string;
  label: string;
  icon: typeof IconWorld;
  /** what one must be allowed to do to see it */
  scope?: string;
  /** the total shown beside it */
  count?: 'domains' | 'hosts' | 'ipRanges' | 'ports' | 'websites' | 'findings' | 'active';
}

export const sections: { label: string; entries: NavEntry[] }[] = [
  { label: '', entries: [{ to: '/', label: t.nav.dashboard, icon: IconLayoutDashboard }] },
  {
    label: t.nav.surface,
    entries: [
      { to: '/domains', label: t.nav.domains, icon: IconWorld, count: 'domains' },
      { to: '/hosts', label: t.nav.hosts, icon: IconServer2, count: 'hosts' },
      { to: '/ip-ranges', label: t.nav.ranges, icon: IconNetwork, count: 'ipRanges' },
      { to: '/ports', label: t.nav.ports, icon: IconPlug, count: 'ports' },
      { to: '/websites', label: t.nav.websites, icon: IconBrowser, count: 'websites' },
      { to: '/findings', label: t.nav.findings, icon: IconFileSearch, count: 'findings' },
      { to: '/changes', label: t.nav.changes, icon: IconHistory },
    ],
  },
  {
    label: t.nav.automation,
    entries: [
      { to: '/executions', label: t.nav.executions, icon: IconBolt, count: 'active' },
      { to: '/subscriptions', label: t.nav.subscriptions, icon: IconAffiliate },
      { to: '/schedule', label: t.nav.schedule, icon: IconCalendarTime },
      { to: '/notifications', label: t.nav.notifications, icon: IconBell, scope: 'manage:notifications:read' },
      { to: '/jobs', label: t.nav.jobs, icon: IconScript },
      { to: '/sources', label: t.nav.sources, icon: IconGitBranch, scope: 'automation:sources:read' },
      { to: '/secrets', label: t.nav.secrets, icon: IconKey, scope: 'manage:secrets:read' },
    ],
  },
  {
    label: t.nav.manage,
    entries: [
      { to: '/projects', label: t.nav.projects, icon: IconFolders },
      { to: '/users', label: t.nav.users, icon: IconUsers, scope: 'manage:users:read-all' },
      { to: '/groups', label: t.nav.groups, icon: IconUsersGroup, scope: 'manage:groups:read' },
      { to: '/audit', label: t.nav.audit, icon: IconListDetails, scope: 'manage:audit:read' },
      { to: '/settings', label: t.nav.settings, icon: IconSettings },
    ],
  },
];
