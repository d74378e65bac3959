import { Button, Text } from '@mantine/core';
import { useBacktest, type Backtest } from '~/api/explain';
import { count } from '~/lib/number';
import { stretches } from '~/lib/histogram';
import { exactly } from '~/lib/time';
import { t } from '~/text';
import { Bars } from './Bars';
import { KeyLink } from './Links';
import { Panel } from './Panel';
import { FormError } from './States';

/** BacktestPanel runs a draft over the findings of the last thirty days, without starting anything. */
export function BacktestPanel({ document, project }: { document: string; project?: string }) {
  const run = useBacktest();
  return (
    <Panel
      title={t.backtest.title}
      actions={<Button size="compact-sm" variant="default" loading={run.isPending} onClick={() => run.mutate({ document, ...(project ? { projectId: project } : {}) })}>{t.backtest.run}</Button>}
    >
      {run.data ? <Result of={run.data} /> : run.error ? <FormError error={run.error} /> : <Text size="sm" className="faint">{t.backtest.text}</Text>}
    </Panel>
  );
}

function Result({ of: b }: { of: Backtest }) {
  const stopped = Object.entries(b.stopped).sort(([, x], [, y]) => y - x);
  return (
    <>
      <Text size="sm" mb="xs">{t.backtest.would(count(b.jobs), count(b.targets), count(b.findings))}</Text>
      {b.histogram.length > 0 && <Bars label={t.backtest.title} bars={stretches(b.histogram.map((h) => ({ at: h.at, n: h.jobs })), b.step, b.from, b.to)} />}
      {stopped.length > 0 && <Text size="sm" mt="xs" className="faint">{t.backtest.stopped} {stopped.map(([why, n]) => `${why} ${count(n)}`).join(', ')}</Text>}
      {b.samples.slice(0, 5).map((s) => <Text key={s.findingId} size="sm"><span className="faint num">{exactly(s.at)}</span> <KeyLink of={s.target} /></Text>)}
      {!b.complete && <Text size="sm" c="var(--warn)">{t.backtest.cut}</Text>}
    </>
  );
}
