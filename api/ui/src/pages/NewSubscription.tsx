import { Autocomplete, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { useFindingKeys, useSaveSubscription } from '~/api/automation';
import { useJobs, useProjects } from '~/api/queries';
import { notify } from '~/app/notify';
import { useProject } from '~/app/project';
import { BacktestPanel } from '~/components/BacktestPanel';
import detail from '~/components/Detail.module.css';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { useUnsaved } from '~/components/useUnsaved';
import { skeleton, type Wish } from '~/lib/skeleton';
import { t } from '~/text';
import { Editing, Scope } from './SubscriptionEditing';

/** NewSubscription is a form that writes the document, and the document, which can then be anything. */
export default function NewSubscription() {
  const [search] = useSearchParams();
  const [filter] = useProject();
  const jobs = useJobs().data?.items ?? [];
  const findings = useFindingKeys().data ?? [];
  const projects = useProjects().data ?? [];
  // the filter may come into the address after the page
  const [chosen, setProject] = useState<string>();
  const project = chosen ?? filter;
  const [wish, setWish] = useState({ trigger: 'event' as Wish['trigger'], finding: search.get('finding') ?? '', job: search.get('job') ?? '' });
  const [written, setWritten] = useState<string>();
  const save = useSaveSubscription();
  const navigate = useNavigate();
  const parameters = jobs.find((j) => j.name === wish.job)?.parameters ?? [];
  const document = written ?? skeleton({ ...wish, name: '', parameters });
  const release = useUnsaved(written !== undefined);
  const choose = (part: Partial<typeof wish>) => {
    setWish((w) => ({ ...w, ...part }));
    setWritten(undefined);
  };
  const send = () => save.mutate({ document, projectId: project }, {
    onSuccess: (s) => {
      void notify({ message: t.subscription.created });
      release();
      void navigate(`/subscriptions/${s.id}`);
    },
  });
  return (
    <>
      <PageHead title={t.subscription.create} up={{ to: '/subscriptions', label: t.nouns.subscription.title }} />
      <div className={detail.columns}>
        <div className={detail.main}>
          <Editing document={document} onChange={setWritten} onSave={send} saving={save.isPending} error={save.error} changed unfinished={!wish.job && written === undefined ? t.subscription.unfinished : undefined} />
        </div>
        <aside className={detail.side}>
          <Panel title={t.subscription.begin}>
            <Stack gap="sm">
              <SegmentedControl fullWidth size="xs" aria-label={t.subscription.trigger} value={wish.trigger} onChange={(v) => choose({ trigger: v as Wish['trigger'] })} data={Object.entries(t.subscription.triggers).map(([value, label]) => ({ value, label }))} />
              <Text size="sm" className="faint">{t.subscription.triggerTexts[wish.trigger]}</Text>
              {wish.trigger !== 'cron' && <Autocomplete label={t.subscription.finding} placeholder="CertificateFinding" data={findings} value={wish.finding} onChange={(finding) => choose({ finding })} />}
              <Select label={t.subscription.job} placeholder={t.subscription.chooseJob} searchable data={jobs.map((j) => j.name)} value={wish.job || null} onChange={(job) => choose({ job: job ?? '' })} />
              <Scope projects={projects} value={project} onChange={setProject} />
              {written !== undefined && <Text size="xs" className="faint">{t.subscription.byHand}</Text>}
            </Stack>
          </Panel>
          <BacktestPanel document={document} project={project} />
        </aside>
      </div>
    </>
  );
}
