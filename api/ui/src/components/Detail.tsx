import type { ReactNode } from 'react';
import { useParams } from 'react-router';
import { useOne } from '~/api/queries';
import type { Seen } from '~/api/types';
import { t, type Noun } from '~/text';
import { CopyButton } from './CopyButton';
import classes from './Detail.module.css';
import { Facts, type Fact } from './Facts';
import { FindingsPanel } from './FindingsPanel';
import { ProjectName } from './Links';
import { PageHead } from './PageHead';
import { Panel } from './Panel';
import { Loading, Problem } from './States';
import { Tags } from './Tags';
import { When } from './When';

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

/** Detail is the page of one resource: what is linked to it, what was said about it, what is known of it. */
export function Detail<T extends Seen>(p: Props<T>) {
  const { id = '' } = useParams();
  const one = useOne<T>(p.path, id);
  if (one.isPending) return <Loading />;
  if (one.error) return <Problem error={one.error} retry={() => void one.refetch()} />;
  const x = one.data;
  const title = p.title(x);
  return (
    <>
      <PageHead title={title} mono up={{ to: p.path, label: p.noun.title }} note={<CopyButton value={title} />}>{p.actions?.(x)}</PageHead>
      <div className={classes.columns}>
        <div className={classes.main}>
          {p.children?.(x)}
          <FindingsPanel params={{ target: x.correlationKey }} />
        </div>
        <aside className={classes.side}>
          <Panel title={t.resource.details}>
            <Facts
              facts={[
                ...(p.facts?.(x) ?? []),
                [t.resource.project, <ProjectName key="p" id={x.projectId} />],
                [t.resource.firstSeen, <When key="f" at={x.firstSeen} />],
                [t.resource.lastSeen, <When key="l" at={x.lastSeen} />],
                x.tags.length > 0 && [t.resource.tags, <Tags key="t" tags={x.tags} />],
              ]}
            />
          </Panel>
          {p.side?.(x)}
        </aside>
      </div>
    </>
  );
}
