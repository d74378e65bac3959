import { useParams } from 'react-router';
import { useSubscriptions } from '~/api/queries';
import { NotFound } from '~/app/NotFound';
import { Code } from '~/components/Code';
import detail from '~/components/Detail.module.css';
import { Facts } from '~/components/Facts';
import { ProjectName } from '~/components/Links';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { Loading, Problem } from '~/components/States';
import { When } from '~/components/When';
import { t } from '~/text';

export default function Subscription() {
  const { id } = useParams();
  const subscriptions = useSubscriptions();
  if (subscriptions.isPending) return <Loading />;
  if (subscriptions.error) return <Problem error={subscriptions.error} retry={() => void subscriptions.refetch()} />;
  const s = subscriptions.data.items.find((x) => x.id === id);
  if (!s) return <NotFound />;
  return (
    <>
      <PageHead title={s.name} up={{ to: '/subscriptions', label: t.nouns.subscription.title }} note={s.builtIn && t.subscription.builtIn} />
      <div className={detail.columns}>
        <div className={detail.main}>
          <Panel title={t.subscription.document} flush><Code text={s.document} /></Panel>
        </div>
        <aside className={detail.side}>
          <Panel title={t.resource.details}>
            <Facts facts={[
              [t.subscription.state, s.enabled ? t.subscription.on : t.subscription.off],
              [t.subscription.scope, s.projectId ? <ProjectName key="p" id={s.projectId} /> : t.subscription.every],
              [t.subscription.changed, <When key="u" at={s.updatedAt} />],
            ]} />
          </Panel>
        </aside>
      </div>
    </>
  );
}
