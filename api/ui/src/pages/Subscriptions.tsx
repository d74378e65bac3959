import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useMay } from '~/api/may';
import { useSubscriptions } from '~/api/queries';
import type { Subscription } from '~/api/types';
import { DefinitionList } from '~/components/DefinitionList';
import { ProjectName } from '~/components/Links';
import { Origin } from '~/components/Origin';
import type { Column } from '~/components/table';
import { t } from '~/text';

const to = (s: Subscription) => `/subscriptions/${s.id}`;

const columns: Column<Subscription>[] = [
  { id: 'name', label: t.subscription.name, width: 260, grow: 2, narrow: 'first', cell: (s) => <Link className="link" to={to(s)}>{s.name}</Link> },
  { id: 'state', label: t.subscription.state, width: 90, narrow: 'first', cell: (s) => <span className={s.enabled && !s.broken ? undefined : 'faint'}>{s.broken ? t.subscription.brokenShort : s.enabled ? t.subscription.on : t.subscription.off}</span> },
  { id: 'trigger', label: t.subscription.trigger, width: 200, grow: 1.2, narrow: 'second', cell: (s) => (s.trigger === 'event' ? (s.findings ?? []).join(', ') : <span className="mono">{s.schedule ?? s.trigger}</span>) },
  { id: 'job', label: t.subscription.job, width: 200, grow: 1.2, cell: (s) => s.job ?? '' },
  { id: 'scope', label: t.subscription.scope, width: 160, grow: 1, narrow: 'second', cell: (s) => (s.projectId ? <ProjectName id={s.projectId} /> : <span className="faint">{t.subscription.every}</span>) },
  { id: 'origin', label: '', width: 90, cell: (s) => <Origin of={s} /> },
];

function NewButton() {
  const may = useMay();
  if (!may('automation:subscriptions:create')) return null;
  return <Button component={Link} to="/subscriptions/new" leftSection={<IconPlus size={14} />}>{t.subscription.create}</Button>;
}

export default function Subscriptions() {
  return (
    <DefinitionList noun={t.nouns.subscription} list={useSubscriptions()} columns={columns} to={to} search={t.subscription.search} textOf={(s) => `${s.name} ${s.document}`} empty={t.subscription.empty} actions={<NewButton />} />
  );
}
