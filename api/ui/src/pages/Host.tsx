import { useAll } from '~/api/queries';
import type { Host as HostView, Port } from '~/api/types';
import { Detail } from '~/components/Detail';
import { LinkList } from '~/components/LinkList';
import { Panel } from '~/components/Panel';
import { SmallTable } from '~/components/SmallTable';
import { domainKey } from '~/lib/key';
import { count } from '~/lib/number';
import { t } from '~/text';
import { portColumns } from './Ports';

export default function Host() {
  return (
    <Detail<HostView> path="/hosts" noun={t.nouns.host} title={(h) => h.ip} facts={(h) => [h.os && [t.host.os, h.os]]}>
      {(h) => (
        <>
          <Ports host={h} />
          <Panel title={t.host.domains} note={count(h.domains.length)}>
            <LinkList keys={h.domains.map((d) => domainKey(h.projectId, d))} empty={t.host.noDomains} />
          </Panel>
        </>
      )}
    </Detail>
  );
}

function Ports({ host }: { host: HostView }) {
  const ports = useAll<Port>('/ports', { project: host.projectId, q: host.ip, limit: 1000 });
  const own = ports.data?.items.filter((p) => p.ip === host.ip);
  return (
    <Panel title={t.host.ports} note={count(host.ports)} flush>
      <SmallTable rows={own} error={ports.error} columns={portColumns} to={(p) => `/ports/${p.id}`} empty={t.host.noPorts} label={t.host.ports} />
    </Panel>
  );
}
