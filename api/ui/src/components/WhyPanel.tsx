import { Link } from 'react-router';
import { useExecutionExplanation, type WhyStep } from '~/api/explain';
import { findingTitle } from '~/lib/finding';
import { t } from '~/text';
import { Verdict } from './Explain';
import classes from './Explain.module.css';
import { KeyLink } from './Links';
import { Panel } from './Panel';

/** WhyPanel tells why an execution was started, back to where it began: what was found, which subscription took it up, what that started. */
export function WhyPanel({ id }: { id: string }) {
  const chain = useExecutionExplanation(id).data;
  if (!chain?.some((s) => s.finding ?? s.explanation)) return null;
  return (
    <Panel title={t.explain.why}>
      <ol className={classes.why}>{chain.map((s) => <Step key={s.execution.id} of={s} here={s.execution.id === id} />)}</ol>
    </Panel>
  );
}

function Step({ of: { execution: e, finding: f, explanation }, here }: { of: WhyStep; here: boolean }) {
  return (
    <li>
      {f ? <div><span className="faint">{t.explain.said}</span> {findingTitle(f)} <KeyLink of={f.correlationKey} /></div> : !explanation && <div className="faint">{t.explain.began}</div>}
      {explanation && <ul className={classes.plain}><Verdict of={explanation} inChain /></ul>}
      <div>{here ? <b>{e.job}</b> : <Link className="link" to={`/executions/${e.id}`}>{e.job}</Link>}</div>
    </li>
  );
}
