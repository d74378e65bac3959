import { useHistory } from '~/api/changes';
import type { Seen } from '~/api/types';
import { count } from '~/lib/number';
import { t } from '~/text';
import { ChangeList } from './ChangeList';
import { Panel } from './Panel';
import { Empty, Loading, Problem } from './States';

/** History is what became of one resource. */
export function History({ of: r }: { of: Seen }) {
  const told = useHistory(r.projectId, r.id);
  return (
    <Panel title={t.resource.history} note={told.data && count(told.data.changes.length)} flush>
      {told.isPending ? <Loading /> : told.error ? <Problem error={told.error} retry={() => void told.refetch()} /> : told.data.changes.length === 0 ? (
        <Empty title={t.changes.none} />
      ) : <ChangeList changes={told.data.changes} own />}
    </Panel>
  );
}
