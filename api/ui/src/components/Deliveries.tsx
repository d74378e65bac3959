import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '~/api/may';
import { useMessages, useResend, type Message, type Notification } from '~/api/notifications';
import { notify } from '~/app/notify';
import { count } from '~/lib/number';
import { until } from '~/lib/time';
import { t } from '~/text';
import { FilterTabs } from './FilterTabs';
import { News } from './News';
import { Panel } from './Panel';
import { SmallTable } from './SmallTable';
import classes from './StateBadge.module.css';
import type { Column } from './table';
import { When } from './When';

const tones = { waiting: 'wait', delivered: 'good', failed: 'bad' } as const;
const tabs = (['', 'waiting', 'delivered', 'failed'] as const).map((value) => ({ value, label: value ? t.notifications.states[value] : t.execution.all }));

const columns: Column<Message>[] = [
  { id: 'at', label: t.audit.at, width: 110, cell: (m) => <When at={m.createdAt} /> },
  { id: 'state', label: t.execution.state, width: 110, cell: (m) => <span className={classes.badge} data-tone={tones[m.state]}><span className={classes.dot} aria-hidden />{t.notifications.states[m.state]}</span> },
  { id: 'events', label: t.notifications.events, width: 80, align: 'right', cell: (m) => <span className="num">{count(m.events)}</span> },
  { id: 'attempts', label: t.notifications.attempts, width: 80, align: 'right', cell: (m) => <span className="num">{count(m.attempts)}</span> },
  { id: 'answer', label: t.notifications.answer, width: 240, cell: (m) => <Answer of={m} /> },
];

/** Answer is what the receiver said last, and when it is asked again. */
function Answer({ of: m }: { of: Message }) {
  const said = m.error ?? (m.status ? String(m.status) : m.state === 'delivered' ? t.notifications.taken : '');
  const again = m.state === 'waiting' && m.attempts > 0 && m.dueAt ? t.notifications.again(until(m.dueAt)) : '';
  return <span style={{ overflowWrap: 'anywhere' }}>{said}{said && again && '; '}{again && <span className="faint">{again}</span>}</span>;
}

/** Deliveries is the log of what a notification sent. It grows when it is asked to; what it shows is kept up to date in place. */
export function Deliveries({ of: n }: { of: Notification }) {
  const [state, setState] = useState('');
  return (
    <Panel title={t.notifications.log} flush actions={<FilterTabs label={t.execution.state} tabs={tabs} value={state} onChange={setState} />}>
      <Log key={state} of={n} state={state} />
    </Panel>
  );
}

function Log({ of: n, state }: { of: Notification; state: string }) {
  const messages = useMessages(n.id, state);
  const resend = useResend(n.id);
  const may = useMay();
  const all = messages.data?.pages.flatMap((p) => p.items);
  const [upTo, setUpTo] = useState<string>();
  // before there is anything to read, what comes is shown at once
  if (upTo === undefined && all?.[0]) setUpTo(all[0].createdAt);
  const rows = all?.filter((m) => upTo === undefined || m.createdAt <= upTo);
  const again = (m: Message) => resend.mutate(m.id, {
    onSuccess: () => void notify({ message: t.notifications.resent }),
    onError: (e) => void notify({ color: 'red', title: t.marks.failed, message: e.message }),
  });
  const doing: Column<Message> = {
    id: 'do', label: '', width: 110, align: 'right',
    cell: (m) => m.state !== 'waiting' && may('manage:notifications:update', n.projectId)
      && <Button size="compact-xs" variant="default" loading={resend.isPending && resend.variables === m.id} onClick={() => again(m)}>{t.notifications.resend}</Button>,
  };
  return (
    <>
      {all && rows && all.length > rows.length && <div style={{ padding: '8px 12px' }}><News n={all.length - rows.length} reload={() => setUpTo(all[0]?.createdAt)} /></div>}
      <SmallTable label={t.notifications.log} rows={rows} error={messages.error} columns={[...columns, doing]} empty={state ? t.states.nothing : t.notifications.logEmpty} />
      {messages.hasNextPage && <div style={{ padding: '8px 12px' }}><Button variant="default" size="compact-sm" loading={messages.isFetchingNextPage} onClick={() => void messages.fetchNextPage()}>{t.actions.more}</Button></div>}
    </>
  );
}
