import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useMay } from '~/api/may';
import { useNotifications, type Notification } from '~/api/notifications';
import { useProject } from '~/app/project';
import { DefinitionList } from '~/components/DefinitionList';
import { ProjectName } from '~/components/Links';
import type { Column } from '~/components/table';
import { t } from '~/text';

const to = (n: Notification) => `/notifications/${n.id}`;

/** goesTo is where a notification goes, as far as anybody may know. */
export const goesTo = (c: Notification['channel']) => c.host || (c.to ?? []).join(', ');

const about = (n: Notification) => t.notifications.about(n.source, n.kind ?? '', n.what ?? []);

const columns: Column<Notification>[] = [
  { id: 'name', label: t.access.name, width: 200, grow: 1.4, narrow: 'first', cell: (n) => <Link className="link" to={to(n)}>{n.name}</Link> },
  { id: 'state', label: t.subscription.state, width: 80, narrow: 'first', cell: (n) => <span className={n.enabled ? undefined : 'faint'}>{n.enabled ? t.subscription.on : t.subscription.off}</span> },
  { id: 'about', label: t.notifications.what, width: 220, grow: 1.6, narrow: 'second', cell: (n) => <>{about(n)} {n.q && <span className="mono faint">{n.q}</span>}</> },
  { id: 'channel', label: t.notifications.channel, width: 110, narrow: 'second', cell: (n) => t.notifications.channels[n.channel.type] },
  { id: 'to', label: t.notifications.to, width: 180, grow: 1, cell: (n) => <span className="mono">{goesTo(n.channel)}</span> },
  { id: 'when', label: t.notifications.when, width: 150, grow: 0.6, cell: (n) => <span className={n.digest ? undefined : 'faint'}>{t.notifications.digests(n.digest)}</span> },
  { id: 'scope', label: t.subscription.scope, width: 140, grow: 0.8, cell: (n) => (n.projectId ? <ProjectName id={n.projectId} /> : <span className="faint">{t.subscription.every}</span>) },
];

function NewButton({ first = false }: { first?: boolean }) {
  const may = useMay();
  if (!may('manage:notifications:create')) return null;
  return <Button component={Link} to="/notifications/new" leftSection={<IconPlus size={14} />}>{first ? t.notifications.createFirst : t.notifications.create}</Button>;
}

/** Notifications are who is told what happens. */
export default function Notifications() {
  const [project] = useProject();
  return (
    <DefinitionList
      noun={t.nouns.notification} list={useNotifications(project)} columns={columns} to={to} search={t.notifications.search}
      textOf={(n) => `${n.name} ${about(n)} ${n.q ?? ''} ${n.channel.type} ${goesTo(n.channel)}`}
      empty={t.notifications.empty} emptyText={t.notifications.emptyText} next={<NewButton first />} actions={<NewButton />}
    />
  );
}
