import { Suspense, type ReactNode } from 'react';
import { useParams, useSearchParams } from 'react-router';
import { useMay } from '~/api/may';
import { useOne } from '~/api/queries';
import type { Execution, Seen } from '~/api/types';
import { later } from '~/app/later';
import { quoted } from '~/lib/filter';
import { t, type Noun } from '~/text';
import { CopyButton } from './CopyButton';
import classes from './Detail.module.css';
import { executionColumns } from './executionColumns';
import { Facts, type Fact } from './Facts';
import { FilterTabs } from './FilterTabs';
import { FindingsPanel } from './FindingsPanel';
import { History } from './History';
import { ProjectName } from './Links';
import { Manage } from './Manage';
import { Marked } from './Marked';
import { NoteEditor } from './NoteEditor';
import { PageHead } from './PageHead';
import { Panel } from './Panel';
import { RelatedList } from './RelatedList';
import { Loading, Problem } from './States';
import { TagEditor } from './TagEditor';
import { Tags } from './Tags';
import { When } from './When';

const Topology = later(() => import('./topology/Topology'));

type Resource = Seen & { blocked: boolean; blockedBelow: boolean; blockedAt?: string; note?: string; owner?: string; mergedInto?: string; closedAt?: string };

interface Props<T> {
  path: string;
  noun: Noun;
  title: (x: T) => string;
  facts?: (x: T) => Fact[];
  actions?: (x: T) => ReactNode;
  /** panels above the findings */
  children?: (x: T) => ReactNode;
  /** panels below the facts */
  side?: (x: T) => ReactNode;
}

const tabs = [
  { value: '', label: t.resource.overview },
  { value: 'history', label: t.resource.history },
  { value: 'topology', label: t.topology.title },
  { value: 'executions', label: t.nouns.execution.title },
];

/** Detail is the page of one resource: what is linked to it, what was said about it, what became of it, and what people think of it. */
export function Detail<T extends Resource>(p: Props<T>) {
  const { id = '' } = useParams();
  const one = useOne<T>(p.path, id);
  const [search, setSearch] = useSearchParams();
  const may = useMay();
  if (one.isPending) return <Loading />;
  if (one.error) return <Problem error={one.error} retry={() => void one.refetch()} />;
  const x = one.data;
  const title = p.title(x);
  const tab = search.get('tab') ?? '';
  const show = (value: string) => setSearch((s) => {
    if (value) s.set('tab', value);
    else s.delete('tab');
    return s;
  }, { replace: true });
  const update = may(`resources:${p.path.slice(1)}:update`, x.projectId);
  return (
    <>
      <PageHead title={title} mono up={{ to: p.path, label: p.noun.title }} note={<><CopyButton value={title} /><Marked of={x} /></>}>
        {p.actions?.(x)}
        <Manage path={p.path} noun={p.noun} of={x} />
      </PageHead>
      <div className={classes.tabs}><FilterTabs label={t.resource.part} tabs={tabs} value={tab} onChange={show} /></div>
      {tab === 'topology' ? <Suspense fallback={<Loading />}><Topology key={x.correlationKey} root={x.correlationKey} /></Suspense> : <div className={classes.columns}>
        <div className={classes.main}>
          {tab === 'history' ? <History of={x} /> : tab === 'executions' ? (
            <RelatedList<Execution> title={t.nouns.execution.title} path="/executions" project={x.projectId} q={`target:${quoted(x.correlationKey)}`} columns={executionColumns} to={(e) => `/executions/${e.id}`} empty={t.resource.noExecutions} />
          ) : (
            <>
              {p.children?.(x)}
              <FindingsPanel params={{ target: x.correlationKey }} />
            </>
          )}
        </div>
        <aside className={classes.side}>
          <Panel title={t.resource.details}>
            <Facts
              facts={[
                ...(p.facts?.(x) ?? []),
                [t.resource.project, <ProjectName key="p" id={x.projectId} />],
                [t.resource.firstSeen, <When key="f" at={x.firstSeen} />],
                [t.resource.lastSeen, <When key="l" at={x.lastSeen} />],
                x.closedAt && [t.resource.closedAt, <When key="c" at={x.closedAt} />],
                x.blocked && x.blockedAt && [t.resource.blockedAt, <When key="b" at={x.blockedAt} />],
                [t.resource.tags, update ? <TagEditor key={x.id} path={p.path} of={x} /> : <Tags key="t" tags={x.tags} />],
              ]}
            />
          </Panel>
          {p.side?.(x)}
          <NoteEditor key={x.id} path={p.path} of={x} readOnly={!update} />
        </aside>
      </div>}
    </>
  );
}
