import type { Port as PortView } from '~/api/types';
import { Detail } from '~/components/Detail';
import { KeyLink } from '~/components/Links';
import { hostKey, parseKey } from '~/lib/key';
import { t } from '~/text';

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
    />
  );
}
