import type { Domain as DomainView, Website } from '~/api/types';
import { Detail } from '~/components/Detail';
import { LinkList } from '~/components/LinkList';
import { Panel } from '~/components/Panel';
import { RelatedList } from '~/components/RelatedList';
import { quoted } from '~/lib/filter';
import { hostKey } from '~/lib/key';
import { count } from '~/lib/number';
import { t } from '~/text';
import { toWebsite, websiteColumns } from './websiteColumns';

export default function Domain() {
  return (
    <Detail<DomainView> path="/domains" noun={t.nouns.domain} title={(d) => d.name}>
      {(d) => (
        <>
          <Panel title={t.domain.hosts} note={count(d.hosts.length)}>
            <LinkList keys={d.hosts.map((ip) => hostKey(d.projectId, ip))} empty={t.domain.noHosts} />
          </Panel>
          <RelatedList<Website> title={t.domain.websites} path="/websites" project={d.projectId} q={`domain:${quoted(d.name)}`} columns={websiteColumns} to={toWebsite} empty={t.domain.noWebsites} />
        </>
      )}
    </Detail>
  );
}
