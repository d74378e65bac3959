import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { useExplanations, type Explanation } from '~/api/explain';
import { t } from '~/text';
import classes from './Explain.module.css';
import { FormError, Loading } from './States';

/** Explain says which subscriptions considered a finding, what each decided, and at which stage. */
export function Explain({ finding }: { finding: string }) {
  const [open, setOpen] = useState(false);
  const told = useExplanations(finding, open);
  if (!open) return <Button variant="subtle" size="compact-xs" onClick={() => setOpen(true)}>{t.explain.ask}</Button>;
  if (told.isPending) return <Loading />;
  if (told.error) return <FormError error={told.error} />;
  if (told.data.length === 0) return <p className={classes.none}>{t.explain.none}</p>;
  return <ul className={classes.list}>{told.data.map((e) => <Verdict key={e.subscriptionId} of={e} />)}</ul>;
}

/** Verdict is what one subscription decided, and at which stage. */
export function Verdict({ of: e, inChain = false }: { of: Explanation; inChain?: boolean }) {
  return (
    <li data-outcome={e.outcome}>
      <div className={classes.head}>
        <Link className="link" to={`/subscriptions/${e.subscriptionId}`}>{e.name}</Link>
        <span className={classes.outcome}>{t.explain.outcomes[e.outcome]}</span>
        {!inChain && e.executionId && <Link className="link faint" to={`/executions/${e.executionId}`}>{t.explain.execution}</Link>}
      </div>
      {e.detail && <div className="faint">{e.detail}</div>}
      <ol className={classes.steps}>
        {e.steps.map((s) => <li key={s.stage} data-verdict={s.verdict} title={s.detail || t.explain.verdicts[s.verdict]}>{s.stage}</li>)}
      </ol>
    </li>
  );
}
