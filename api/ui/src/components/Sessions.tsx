import { Button } from '@mantine/core';
import { useDo, useItems, type Session } from '~/api/access';
import { del } from '~/api/client';
import { t } from '~/text';
import { Panel } from './Panel';
import { SmallTable } from './SmallTable';
import { FormError } from './States';
import { When } from './When';

interface Props {
  path: string;
  /** ends all of them, or all others when they are one's own */
  end?: () => Promise<unknown>;
  own?: boolean;
}

/** Sessions is where somebody is logged in. */
export function Sessions({ path, end, own = false }: Props) {
  const sessions = useItems<Session>(path);
  const endAll = useDo(() => end?.() ?? Promise.resolve());
  const endOne = useDo((id: string) => del(`${path}/${id}`));
  return (
    <Panel
      title={t.access.sessions} flush
      actions={end && (sessions.data?.length ?? 0) > (own ? 1 : 0) && <Button variant="default" size="compact-sm" loading={endAll.isPending} onClick={() => endAll.mutate()}>{own ? t.access.endOthers : t.access.endAll}</Button>}
    >
      <SmallTable
        label={t.access.sessions} rows={sessions.data} error={sessions.error} empty={t.access.noSessions}
        columns={[
          { id: 'agent', label: t.access.browser, width: 200, cell: (s) => <span style={{ overflowWrap: 'anywhere' }}>{s.agent || '–'}</span> },
          { id: 'address', label: t.access.address, width: 120, cell: (s) => <span className="mono">{s.address}</span> },
          { id: 'seen', label: t.resource.lastSeen, width: 100, cell: (s) => <When at={s.lastSeen} /> },
          { id: 'end', label: '', width: 80, cell: (s) => (s.current ? t.access.thisOne : own && <Button size="compact-xs" variant="default" onClick={() => endOne.mutate(s.id)}>{t.access.end}</Button>) },
        ]}
      />
      <FormError error={endAll.error ?? endOne.error} />
    </Panel>
  );
}
