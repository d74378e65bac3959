import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from 'react-router';
import { useMay } from '~/api/may';
import { useJobs, useOne, useSubscriptions } from '~/api/queries';
import { useDeleteSource, useSaveSource, useSync, type Source as SourceView } from '~/api/sources';
import { notify } from '~/app/notify';
import { ConfirmDelete } from '~/components/ConfirmDelete';
import detail from '~/components/Detail.module.css';
import { Facts } from '~/components/Facts';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { SmallTable } from '~/components/SmallTable';
import { SourceState } from '~/components/SourceState';
import { Loading, Problem } from '~/components/States';
import type { Column } from '~/components/table';
import { When } from '~/components/When';
import { count } from '~/lib/number';
import { t } from '~/text';
import { SourceForm } from './SourceForm';

export default function Source() {
  const { id = '' } = useParams();
  const one = useOne<SourceView>('/sources', id);
  if (one.isPending) return <Loading />;
  if (one.error) return <Problem error={one.error} retry={() => void one.refetch()} />;
  return <Loaded source={one.data} />;
}

function Loaded({ source: s }: { source: SourceView }) {
  const may = useMay();
  return (
    <>
      <PageHead title={s.url} mono up={{ to: '/sources', label: t.nouns.source.title }} note={<SourceState of={s} />}>
        {may('automation:sources:update') && <SyncNow source={s} />}
        {may('automation:sources:delete') && <Remove source={s} />}
      </PageHead>
      <div className={detail.columns}>
        <div className={detail.main}>
          {s.error && <Alert variant="light" color="red" title={t.sources.failedTitle}><span style={{ overflowWrap: 'anywhere' }}>{s.error}</span></Alert>}
          {s.problems.length > 0 && <Problems source={s} />}
          <Held source={s} />
        </div>
        <aside className={detail.side}>
          <Panel title={t.resource.details}>
            <Facts facts={[
              [t.sources.read, <When key="r" at={s.syncedAt} />],
              s.commit && [t.sources.commit, <span key="c" className="mono">{s.commit.slice(0, 12)}</span>],
              [t.sources.branch, s.branch || t.sources.ownBranch],
              [t.sources.interval, t.sources.every(s.interval)],
            ]} />
          </Panel>
          {may('automation:sources:update') && <Edit key={s.version} source={s} />}
        </aside>
      </div>
    </>
  );
}

function SyncNow({ source: s }: { source: SourceView }) {
  const sync = useSync();
  const go = () => sync.mutate(s.id, {
    onSuccess: (x) => void notify(x.error ? { color: 'red', title: t.sources.failedTitle, message: x.error } : { message: t.sources.synced }),
    onError: (e) => void notify({ color: 'red', title: t.marks.failed, message: e.message }),
  });
  return <Button leftSection={<IconRefresh size={14} />} loading={sync.isPending} onClick={go}>{t.sources.sync}</Button>;
}

function Remove({ source: s }: { source: SourceView }) {
  const remove = useDeleteSource();
  const navigate = useNavigate();
  return (
    <ConfirmDelete
      title={t.sources.remove} text={t.sources.removeText} word={s.url} busy={remove.isPending} error={remove.error}
      onConfirm={() => remove.mutate(s.id, { onSuccess: () => void navigate('/sources') })}
    />
  );
}

function Edit({ source: s }: { source: SourceView }) {
  const save = useSaveSource();
  return (
    <Panel title={t.sources.settings}>
      <SourceForm of={s} submit={t.actions.save} busy={save.isPending} error={save.error} onSubmit={(source) => save.mutate({ id: s.id, source }, { onSuccess: () => void notify({ message: t.actions.saved }) })} />
    </Panel>
  );
}

type Row = SourceView['problems'][number] & { id: string };

const problemColumns: Column<Row>[] = [
  { id: 'file', label: t.sources.file, width: 200, cell: (p) => <span className="mono">{p.file}{p.line ? `:${p.line}${p.column ? `:${p.column}` : ''}` : ''}</span> },
  { id: 'message', label: t.sources.problem, width: 200, cell: (p) => <>{p.path && <span className="faint mono">{p.path} </span>}{p.message}</> },
];

/** Problems are the files that are wrong; what they held before stays. */
function Problems({ source: s }: { source: SourceView }) {
  return (
    <Panel title={t.sources.wrong} note={count(s.problems.length)} flush>
      <SmallTable label={t.sources.wrong} rows={s.problems.map((p, i) => ({ ...p, id: String(i) }))} columns={problemColumns} empty="" />
      <Text size="sm" className="faint" p="sm">{t.sources.wrongText}</Text>
    </Panel>
  );
}

/** Held is what came from the repository. */
function Held({ source: s }: { source: SourceView }) {
  const jobs = (useJobs().data?.items ?? []).filter((j) => j.sourceId === s.id);
  const subscriptions = (useSubscriptions().data?.items ?? []).filter((x) => x.sourceId === s.id);
  const items = [
    ...jobs.map((j) => ({ id: j.id, to: `/jobs/${j.id}`, name: j.name, file: j.sourceFile })),
    ...subscriptions.map((x) => ({ id: x.id, to: `/subscriptions/${x.id}`, name: x.name, file: x.sourceFile })),
  ];
  return (
    <Panel title={t.sources.holds} note={t.sources.held(s.jobs, s.subscriptions)}>
      {items.length === 0 ? <Text size="sm" className="faint">{t.sources.nothing}</Text> : (
        <Stack gap={6}>
          {items.map((x) => <div key={x.id}><Link className="link" to={x.to}>{x.name}</Link> <span className="faint mono">{x.file}</span></div>)}
        </Stack>
      )}
    </Panel>
  );
}
