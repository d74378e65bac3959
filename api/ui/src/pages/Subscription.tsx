import { Button } from '@mantine/core';
import { useNavigate, useParams } from 'react-router';
import { useDelete, useDuplicate, useSaveSubscription } from '~/api/automation';
import { useMay } from '~/api/may';
import { useOne } from '~/api/queries';
import type { Subscription as SubscriptionView } from '~/api/types';
import { notify } from '~/app/notify';
import { BacktestPanel } from '~/components/BacktestPanel';
import { ConfirmDelete } from '~/components/ConfirmDelete';
import detail from '~/components/Detail.module.css';
import { Facts } from '~/components/Facts';
import { ProjectName } from '~/components/Links';
import { kept, Origin } from '~/components/Origin';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { RevertButton } from '~/components/RevertButton';
import { Loading, Problem } from '~/components/States';
import { useUnsaved } from '~/components/useUnsaved';
import { When } from '~/components/When';
import { t } from '~/text';
import { Editing, Enabled, ReadOnly, useDraft } from './SubscriptionEditing';

export default function Subscription() {
  const { id = '' } = useParams();
  const one = useOne<SubscriptionView>('/subscriptions', id);
  if (one.isPending) return <Loading />;
  if (one.error) return <Problem error={one.error} retry={() => void one.refetch()} />;
  return <Loaded key={id} subscription={one.data} />;
}

function Loaded({ subscription: s }: { subscription: SubscriptionView }) {
  const save = useSaveSubscription();
  const toggle = useSaveSubscription();
  const [draft, setDraft, changed] = useDraft(s.document);
  const may = useMay();
  const allowed = (action: string) => may(`automation:subscriptions:${action}`, s.projectId);
  const editable = allowed('update') && !kept(s);
  useUnsaved(changed);
  const send = () => save.mutate({ id: s.id, document: draft }, { onSuccess: () => void notify({ message: t.actions.saved }) });
  return (
    <>
      <PageHead title={s.name} up={{ to: '/subscriptions', label: t.nouns.subscription.title }} note={<Origin of={s} />}>
        <Enabled on={s.enabled} disabled={!allowed('update') || toggle.isPending} onChange={(enabled) => toggle.mutate({ id: s.id, enabled })} />
        <Actions subscription={s} onReverted={setDraft} />
      </PageHead>
      <div className={detail.columns}>
        <div className={detail.main}>
          {kept(s) && <ReadOnly text={s.builtIn ? t.subscription.readOnly : t.sources.readOnly(s.sourceFile ?? '')} />}
          <Editing document={draft} onChange={editable ? setDraft : undefined} onSave={send} saving={save.isPending} error={save.error} changed={changed} />
        </div>
        <aside className={detail.side}>
          <Panel title={t.resource.details}>
            <Facts facts={[
              [t.subscription.state, s.broken ? t.subscription.broken : s.enabled ? t.subscription.on : t.subscription.off],
              s.trigger && [t.subscription.trigger, s.trigger],
              s.schedule && [t.subscription.schedule, <span key="s" className="mono">{s.schedule}</span>],
              (s.findings?.length ?? 0) > 0 && [t.nouns.finding.title, s.findings?.join(', ')],
              s.job && [t.subscription.job, s.job],
              [t.subscription.scope, s.projectId ? <ProjectName key="p" id={s.projectId} /> : t.subscription.every],
              [t.subscription.changed, <When key="u" at={s.updatedAt} />],
            ]} />
          </Panel>
          <BacktestPanel document={draft} project={s.projectId} />
        </aside>
      </div>
    </>
  );
}

function Actions({ subscription: s, onReverted }: { subscription: SubscriptionView; onReverted: (document: string) => void }) {
  const navigate = useNavigate();
  const may = useMay();
  const duplicate = useDuplicate<SubscriptionView>('/subscriptions');
  const remove = useDelete('/subscriptions');
  const copy = () => duplicate.mutate(s.id, {
    onSuccess: (made) => void navigate(`/subscriptions/${made.id}`),
    onError: (e) => void notify({ color: 'red', title: t.marks.failed, message: e.message }),
  });
  return (
    <>
      {may('automation:subscriptions:create', s.projectId) && <Button variant="default" loading={duplicate.isPending} onClick={copy}>{t.subscription.duplicate}</Button>}
      {s.originId && may('automation:subscriptions:update', s.projectId) && (
        <RevertButton path="/subscriptions" id={s.id} onReverted={(made) => 'document' in made && onReverted(made.document)} />
      )}
      {!kept(s) && may('automation:subscriptions:delete', s.projectId) && (
        <ConfirmDelete
          title={t.subscription.remove} text={t.subscription.removeText} word={s.name} busy={remove.isPending} error={remove.error}
          onConfirm={() => remove.mutate(s.id, { onSuccess: () => void navigate('/subscriptions') })}
        />
      )}
    </>
  );
}
