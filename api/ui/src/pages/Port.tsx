import type { Port as PortView, Website } from '~/api/types';
import { Detail } from '~/components/Detail';
import { KeyLink } from '~/components/Links';
import { RelatedList } from '~/components/RelatedList';
import { hostKey, parseKey } from '~/lib/key';
import { t } from '~/text';
import { toWebsite, websiteColumns } from './websiteColumns';

export default function Port() {
  return (
    <Detail<PortView>
      path="/ports"
      noun={t.nouns.port}
      title={(p) => parseKey(p.correlationKey).label}
      facts={(p) => [
        [t.port.address, <KeyLink key="h" of={hostKey(p.projectId, p.ip)} />],
        p.service && [t.port.service, p.service],
        p.product && [t.port.product, p.product],
        p.version && [t.port.version, p.version],
      ]}
    >
      {(p) => p.protocol === 'tcp' && (
        <RelatedList<Website> title={t.domain.websites} path="/websites" project={p.projectId} q={`host:${p.ip} port:${p.port}`} columns={websiteColumns} to={toWebsite} empty={t.domain.noWebsites} />
      )}
    </Detail>
  );
}
