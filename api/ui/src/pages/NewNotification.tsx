import { useNavigate } from 'react-router';
import { useSaveNotification } from '~/api/notifications';
import { notify } from '~/app/notify';
import { useProject } from '~/app/project';
import detail from '~/components/Detail.module.css';
import { NotificationForm } from '~/components/NotificationForm';
import { PageHead } from '~/components/PageHead';
import { t } from '~/text';

export default function NewNotification() {
  const [project] = useProject();
  const save = useSaveNotification();
  const navigate = useNavigate();
  return (
    <>
      <PageHead title={t.notifications.create} up={{ to: '/notifications', label: t.nouns.notification.title }} />
      <div className={detail.page} style={{ maxWidth: 760 }}>
        <NotificationForm
          key={project} project={project} submit={t.notifications.submit} busy={save.isPending} error={save.error}
          onSubmit={(n) => save.mutate(n, { onSuccess: (made) => (void notify({ message: t.notifications.created }), void navigate(`/notifications/${made.id}`)) })}
        />
      </div>
    </>
  );
}
