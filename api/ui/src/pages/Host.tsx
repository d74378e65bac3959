import type { Host as HostView, Port, Website } from '~/api/types';
import { Detail } from '~/components/Detail';
import { LinkList } from '~/components/LinkList';
import { Panel } from '~/components/Panel';
import { RelatedList } from '~/components/RelatedList';
import { domainKey } from '~/lib/key';
import { count } from '~/lib/number';
import { t } from '~/text';
import { portColumns } from './Ports';
import { toWebsite, websiteColumns } from './websiteColumns';

export default function Host() {
  return (
    <Detail<HostView> path="/hosts" noun={t.nouns.host} title={(h) => h.ip} facts={(h) => [h.os && [t.host.os, h.os]]}>
      {(h) => (
        <>
          <RelatedList<Port> title={t.host.ports} path="/ports" project={h.projectId} q={`host:${h.ip}`} columns={portColumns} to={(p) => `/ports/${p.id}`} empty={t.host.noPorts} />
          <Panel title={t.host.domains} note={count(h.domains.length)}>
            <LinkList keys={h.domains.map((d) => domainKey(h.projectId, d))} empty={t.host.noDomains} />
          </Panel>
          <RelatedList<Website> title={t.domain.websites} path="/websites" project={h.projectId} q={`host:${h.ip}`} columns={websiteColumns} to={toWebsite} empty={t.domain.noWebsites} />
        </>
      )}
    </Detail>
  );
}
