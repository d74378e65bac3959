import { Alert, Button } from '@mantine/core';
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from 'react-router';
import { useRetry, useStop } from '~/api/launch';
import { useMay } from '~/api/may';
import { useOne } from '~/api/queries';
import type { Argument, Execution as ExecutionView } from '~/api/types';
import { notify } from '~/app/notify';
import { ChainPanel } from '~/components/ChainPanel';
import { Facts } from '~/components/Facts';
import { FindingsPanel } from '~/components/FindingsPanel';
import { KeyLink, ProjectName } from '~/components/Links';
import { LogView } from '~/components/LogView';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { ended, StateBadge } from '~/components/StateBadge';
import { Loading, Problem } from '~/components/States';
import { Took, When } from '~/components/When';
import { WhyPanel } from '~/components/WhyPanel';
import { count } from '~/lib/number';
import { t } from '~/text';
import detail from '~/components/Detail.module.css';

export default function Execution() {
  const { id = '' } = useParams();
  const one = useOne<ExecutionView>('/executions', id, (e) => (e && ended(e.state) ? false : 1500));
  if (one.isPending) return <Loading />;
  if (one.error && !one.data) return <Problem error={one.error} retry={() => void one.refetch()} />;
  const e = one.data;
  const args = e.arguments ?? [];
  return (
    <>
      <PageHead title={e.job} up={{ to: '/executions', label: t.nouns.execution.title }} note={<StateBadge state={e.state} />}><Actions of={e} /></PageHead>
      <div className={detail.columns}>
        <div className={detail.main}>
          {e.detail && (
            <Alert variant="light" color={e.state === 'succeeded' ? 'gray' : 'red'} title={e.reason && t.execution.reasons[e.reason]}>
              <span style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{e.detail}</span>
            </Alert>
          )}
          <LogView id={e.id} live={!ended(e.state)} />
          <FindingsPanel params={{ execution: e.id }} about />
        </div>
        <aside className={detail.side}>
          <Panel title={t.resource.details}>
            <Summary execution={e} />
          </Panel>
          {args.length > 0 && (
            <Panel title={t.execution.parameters}>
              <Facts facts={args.map((a) => [a.name, <span key={a.name} className="mono">{valueOf(a)}</span>])} />
            </Panel>
          )}
          <WhyPanel id={e.id} />
          <ChainPanel id={e.id} live={!ended(e.state)} />
        </aside>
      </div>
    </>
  );
}

/** Actions stops what runs, and repeats what ended. */
function Actions({ of: e }: { of: ExecutionView }) {
  const may = useMay();
  const navigate = useNavigate();
  const stop = useStop();
  const retry = useRetry();
  const failed = { onError: (x: Error) => void notify({ color: 'red', title: t.marks.failed, message: x.message }) };
  if (!ended(e.state)) {
    return may('automation:job-executions:update', e.projectId) && (
      <Button variant="default" leftSection={<IconPlayerStop size={14} />} loading={stop.isPending} onClick={() => stop.mutate(e.id, failed)}>{t.launch.stop}</Button>
    );
  }
  return may('automation:job-executions:create', e.projectId) && (
    <Button variant="default" leftSection={<IconRefresh size={14} />} loading={retry.isPending} onClick={() => retry.mutate(e.id, { ...failed, onSuccess: (x) => void navigate(`/executions/${x.id}`) })}>{t.launch.retry}</Button>
  );
}

const valueOf = (a: Argument) => (typeof a.value === 'string' ? a.value : JSON.stringify(a.value));

function Summary({ execution: e }: { execution: ExecutionView }) {
  return (
    <Facts
      facts={[
        [t.resource.project, <ProjectName key="p" id={e.projectId} />],
        e.target && [t.execution.target, <KeyLink key="t" of={e.target} />],
        [t.execution.queued, <When key="q" at={e.queuedAt} />],
        e.startedAt && [t.execution.started, <When key="s" at={e.startedAt} />],
        e.endedAt && [t.execution.ended, <When key="e" at={e.endedAt} />],
        [t.execution.took, <Took key="d" from={e.startedAt} to={e.endedAt} />],
        [t.execution.findings, <span key="f" className="num">{count(e.findings)}</span>],
        (e.errors > 0 || e.warnings > 0) && [t.execution.problems, t.execution.issues(e.errors, e.warnings)],
        e.exitCode !== undefined && [t.execution.exitCode, String(e.exitCode)],
        e.attempt > 1 && [t.execution.attempt, String(e.attempt)],
        e.runner && [t.execution.runner, e.runner],
        [t.execution.cause, <Cause key="c" of={e} />],
        e.cause.retryOf && [t.launch.retryOf, <Link key="x" className="link" to={`/executions/${e.cause.retryOf}`}>{t.execution.parentLink}</Link>],
      ]}
    />
  );
}

function Cause({ of: { cause } }: { of: ExecutionView }) {
  if (cause.subscriptionId) {
    return <Link className="link" to={`/subscriptions/${cause.subscriptionId}`}>{cause.subscriptionName ?? cause.subscriptionId}</Link>;
  }
  return t.execution.person;
}
