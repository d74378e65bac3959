import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useMay } from '~/api/may';
import { useSources, type Source } from '~/api/sources';
import { later } from '~/app/later';
import { DefinitionList } from '~/components/DefinitionList';
import { Opener } from '~/components/Opener';
import { SourceState } from '~/components/SourceState';
import type { Column } from '~/components/table';
import { When } from '~/components/When';
import { count } from '~/lib/number';
import { t } from '~/text';

const Dialog = later(() => import('./SourceDialog'));

const to = (s: Source) => `/sources/${s.id}`;

const columns: Column<Source>[] = [
  { id: 'url', label: t.sources.url, width: 260, grow: 3, narrow: 'first', cell: (s) => <Link className="link mono" to={to(s)}>{s.url}</Link> },
  { id: 'branch', label: t.sources.branch, width: 120, grow: 0.6, cell: (s) => s.branch || <span className="faint">{t.sources.ownBranch}</span> },
  { id: 'state', label: t.sources.state, width: 130, narrow: 'second', cell: (s) => <SourceState of={s} /> },
  { id: 'jobs', label: t.nav.jobs, width: 80, align: 'right', cell: (s) => <span className="num">{count(s.jobs)}</span> },
  { id: 'subscriptions', label: t.nav.subscriptions, width: 120, align: 'right', cell: (s) => <span className="num">{count(s.subscriptions)}</span> },
  { id: 'synced', label: t.sources.read, width: 110, narrow: 'second', cell: (s) => <When at={s.syncedAt} /> },
];

function Add({ first = false }: { first?: boolean }) {
  const may = useMay();
  if (!may('automation:sources:create')) return null;
  return (
    <Opener button={(open) => <Button leftSection={<IconPlus size={14} />} onClick={open}>{first ? t.sources.createFirst : t.sources.create}</Button>}>
      {(state) => <Dialog {...state} />}
    </Opener>
  );
}

/** Sources are the git repositories that jobs and subscriptions are kept from. */
export default function Sources() {
  return (
    <DefinitionList
      noun={t.nouns.source} list={useSources()} columns={columns} to={to} search={t.sources.search} textOf={(s) => `${s.url} ${s.branch ?? ''}`}
      empty={t.sources.empty} emptyText={t.sources.emptyText} next={<Add first />} actions={<Add />}
    />
  );
}
