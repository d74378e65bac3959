import { Link } from 'react-router';
import { useSubscriptions } from '~/api/queries';
import type { Subscription } from '~/api/types';
import { DefinitionList } from '~/components/DefinitionList';
import { ProjectName } from '~/components/Links';
import type { Column } from '~/components/table';
import { t } from '~/text';

const to = (s: Subscription) => `/subscriptions/${s.id}`;

const columns: Column<Subscription>[] = [
  { id: 'name', label: t.subscription.name, width: 260, grow: 2, narrow: 'first', cell: (s) => <Link className="link" to={to(s)}>{s.name}</Link> },
  { id: 'state', label: t.subscription.state, width: 90, narrow: 'first', cell: (s) => <span className={s.enabled ? undefined : 'faint'}>{s.enabled ? t.subscription.on : t.subscription.off}</span> },
  { id: 'scope', label: t.subscription.scope, width: 160, grow: 1, narrow: 'second', cell: (s) => (s.projectId ? <ProjectName id={s.projectId} /> : <span className="faint">{t.subscription.every}</span>) },
  { id: 'builtIn', label: '', width: 90, cell: (s) => s.builtIn && <span className="faint">{t.subscription.builtIn}</span> },
];

export default function Subscriptions() {
  return (
    <DefinitionList noun={t.nouns.subscription} list={useSubscriptions()} columns={columns} to={to} search={t.subscription.search} textOf={(s) => `${s.name} ${s.document}`} empty={t.subscription.empty} />
  );
}
