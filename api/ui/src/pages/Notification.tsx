import { Button } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useNavigate, useParams } from 'react-router';
import { useDelete } from '~/api/automation';
import { useMay } from '~/api/may';
import { useSaveNotification, useTestNotification, type Notification as NotificationView } from '~/api/notifications';
import { useOne } from '~/api/queries';
import { notify } from '~/app/notify';
import { ConfirmDelete } from '~/components/ConfirmDelete';
import { Deliveries } from '~/components/Deliveries';
import detail from '~/components/Detail.module.css';
import { Facts } from '~/components/Facts';
import { ProjectName } from '~/components/Links';
import { NotificationForm } from '~/components/NotificationForm';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { Loading, Problem } from '~/components/States';
import { t } from '~/text';
import { goesTo } from './Notifications';
import { Enabled } from './SubscriptionEditing';

export default function Notification() {
  const { id = '' } = useParams();
  const one = useOne<NotificationView>('/notifications', id);
  if (one.isPending) return <Loading />;
  if (one.error) return <Problem error={one.error} retry={() => void one.refetch()} />;
  return <Loaded key={id} notification={one.data} />;
}

const say = (e: Error) => void notify({ color: 'red', title: t.marks.failed, message: e.message });

function Loaded({ notification: n }: { notification: NotificationView }) {
  const may = useMay();
  const save = useSaveNotification();
  const toggle = useSaveNotification();
  const update = may('manage:notifications:update', n.projectId);
  return (
    <>
      <PageHead title={n.name} up={{ to: '/notifications', label: t.nouns.notification.title }}>
        <Enabled on={n.enabled} disabled={!update || toggle.isPending} onChange={(enabled) => toggle.mutate({ id: n.id, enabled }, { onError: say })} />
        {update && <Test of={n} />}
        {may('manage:notifications:delete', n.projectId) && <Remove of={n} />}
      </PageHead>
      <div className={detail.columns}>
        <div className={detail.main}>
          <Deliveries of={n} />
          <NotificationForm
            key={n.version} of={n} readOnly={!update} submit={t.actions.save} busy={save.isPending} error={save.error}
            onSubmit={(x) => save.mutate({ id: n.id, ...x }, { onSuccess: () => void notify({ message: t.actions.saved }) })}
          />
        </div>
        <aside className={detail.side}>
          <Panel title={t.resource.details}>
            <Facts facts={[
              [t.notifications.what, t.notifications.about(n.source, n.kind ?? '', n.what ?? [])],
              n.q && [t.notifications.only, <span key="q" className="mono">{n.q}</span>],
              [t.notifications.channel, t.notifications.channels[n.channel.type]],
              [t.notifications.to, <span key="t" className="mono">{goesTo(n.channel)}</span>],
              [t.notifications.when, t.notifications.digests(n.digest)],
              n.quiet && [t.notifications.quietShort, t.notifications.quietTimes(n.quiet.from, n.quiet.to, n.quiet.zone || 'UTC')],
              [t.subscription.scope, n.projectId ? <ProjectName key="p" id={n.projectId} /> : t.subscription.every],
            ]} />
          </Panel>
        </aside>
      </div>
    </>
  );
}

function Test({ of: n }: { of: NotificationView }) {
  const test = useTestNotification(n.id);
  const go = () => test.mutate(undefined, { onSuccess: (a) => void notify({ message: t.notifications.arrived(a.status) }), onError: say });
  return <Button variant="default" leftSection={<IconSend size={14} />} loading={test.isPending} onClick={go}>{t.notifications.test}</Button>;
}

function Remove({ of: n }: { of: NotificationView }) {
  const remove = useDelete('/notifications');
  const navigate = useNavigate();
  return (
    <ConfirmDelete
      title={t.notifications.remove} text={t.notifications.removeText} word={n.name} busy={remove.isPending} error={remove.error}
      onConfirm={() => remove.mutate(n.id, { onSuccess: () => void navigate('/notifications') })}
    />
  );
}
