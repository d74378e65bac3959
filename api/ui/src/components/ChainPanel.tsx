import { Link } from 'react-router';
import { useChain } from '~/api/launch';
import type { Execution } from '~/api/types';
import { count } from '~/lib/number';
import { t } from '~/text';
import classes from './ChainPanel.module.css';
import { KeyLink } from './Links';
import { Panel } from './Panel';
import { StateBadge } from './StateBadge';

/** ChainPanel shows what an execution came from and what came from it. */
export function ChainPanel({ id, live }: { id: string; live: boolean }) {
  const chain = useChain(id, live).data;
  if (!chain) return null;
  const { ancestors, execution, children } = chain;
  return (
    <Panel title={t.launch.chain} note={count(ancestors.length + 1 + children.total)}>
      <ul className={classes.chain}>
        {ancestors.map((e, i) => <Step key={e.id} of={e} depth={i} />)}
        <Step of={execution} depth={ancestors.length} here />
        {children.items.map((e) => <Step key={e.id} of={e} depth={ancestors.length + 1} />)}
      </ul>
      {children.total > children.items.length && <span className="faint">{t.list.more(children.total - children.items.length)}</span>}
      {children.total === 0 && ancestors.length === 0 && <span className="faint">{t.launch.alone}</span>}
    </Panel>
  );
}

function Step({ of: e, depth, here = false }: { of: Execution; depth: number; here?: boolean }) {
  return (
    <li className={classes.step} style={{ paddingLeft: depth * 14 }} aria-current={here || undefined}>
      <StateBadge state={e.state} />
      {here ? <b>{e.job}</b> : <Link className="link" to={`/executions/${e.id}`}>{e.job}</Link>}
      {e.target && <span className={classes.target}><KeyLink of={e.target} /></span>}
    </li>
  );
}
