import { Checkbox, Group, Kbd, SegmentedControl, Select, Stack, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { useState } from 'react';
import { useMayEverywhere } from '~/api/may';
import { useAll, useVersion } from '~/api/queries';
import type { Schemas } from '~/api/types';
import detail from '~/components/Detail.module.css';
import { Facts } from '~/components/Facts';
import { PageHead } from '~/components/PageHead';
import { Panel } from '~/components/Panel';
import { SearchBox } from '~/components/SearchBox';
import { SmallTable } from '~/components/SmallTable';
import type { Column } from '~/components/table';
import { count } from '~/lib/number';
import { chooseZone, chosenZone } from '~/lib/zone';
import { t } from '~/text';

/** Settings are what a person chooses for themselves, and how the server is configured. */
export default function Settings() {
  const may = useMayEverywhere();
  return (
    <>
      <PageHead title={t.settings.title} />
      <div className={detail.columns}>
        <div className={detail.main}>{may('manage:config:read') ? <Configuration /> : <Own />}</div>
        <aside className={detail.side}>
          {may('manage:config:read') && <Own />}
          <Keyboard />
          <Server />
        </aside>
      </div>
    </>
  );
}

type Row = Schemas['Setting'] & { id: string };

const columns: Column<Row>[] = [
  { id: 'key', label: t.settings.key, width: 240, cell: (s) => <span className="mono">{s.key}</span> },
  { id: 'value', label: t.settings.value, width: 240, cell: (s) => <span className="mono" style={{ overflowWrap: 'anywhere' }}>{s.value || <span className="faint">–</span>}</span> },
  { id: 'changed', label: '', width: 80, cell: (s) => s.changed && t.settings.changed },
];

/** Configuration is what the server runs with. It is changed where the server is started. */
function Configuration() {
  const all = useAll<Schemas['Setting']>('/configuration');
  const [q, setQ] = useState('');
  const [changed, setChanged] = useState(true);
  const rows = all.data?.items
    .filter((s) => (q !== '' || !changed || s.changed) && `${s.key} ${s.value}`.toLowerCase().includes(q.toLowerCase()))
    .map((s) => ({ ...s, id: s.key }));
  return (
    <Panel title={t.settings.configuration} note={rows && count(rows.length)} flush>
      <Stack gap="xs" p="sm">
        <span className="faint">{t.settings.configurationText} <a className="link" href="/docs/51-configuration" target="_blank" rel="noreferrer">{t.settings.keysMean}</a></span>
        <Group gap="md">
          <SearchBox value={q} onChange={setQ} label={t.settings.search} />
          <Checkbox label={t.settings.onlyChanged} checked={changed} disabled={q !== ''} onChange={(e) => setChanged(e.currentTarget.checked)} />
        </Group>
      </Stack>
      <SmallTable label={t.settings.configuration} rows={rows} error={all.error} columns={columns} focusable empty={q ? t.states.nothing : t.settings.allDefault} />
    </Panel>
  );
}

const schemes: MantineColorScheme[] = ['light', 'dark', 'auto'];

/** Own is kept in this browser. */
function Own() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const choose = (zone: string | null) => {
    chooseZone(zone ?? '');
    window.location.reload();
  };
  return (
    <Panel title={t.settings.own} note={t.settings.ownNote}>
      <Stack gap="sm">
        <SegmentedControl fullWidth aria-label={t.settings.theme} data={schemes.map((value) => ({ value, label: t.user.themes[value] }))} value={colorScheme} onChange={(v) => setColorScheme(v as MantineColorScheme)} />
        <Select
          label={t.settings.zone} description={t.settings.zoneHint} searchable clearable limit={100} placeholder={t.settings.zoneOwn(Intl.DateTimeFormat().resolvedOptions().timeZone)}
          data={['UTC', ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC')]} value={chosenZone() || null} onChange={choose}
        />
      </Stack>
    </Panel>
  );
}

function Keyboard() {
  return (
    <Panel title={t.settings.keyboard}>
      <Facts facts={t.settings.shortcuts.map(([keys, does]) => [does, <Group key={does} gap={4} wrap="nowrap">{keys.map((k) => <Kbd key={k} size="xs">{k}</Kbd>)}</Group>])} />
    </Panel>
  );
}

function Server() {
  const version = useVersion().data?.version;
  return (
    <Panel title={t.settings.server}>
      <Facts facts={[
        [t.settings.version, <span key="v" className="mono">{version ?? '–'}</span>],
        [t.user.manual, <a key="m" className="link" href="/docs/" target="_blank" rel="noreferrer">/docs/</a>],
        [t.user.api, <a key="a" className="link" href="/api/docs" target="_blank" rel="noreferrer">/api/docs</a>],
      ]} />
    </Panel>
  );
}
