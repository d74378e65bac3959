import type { Host, IPRange } from '~/api/types';
import { Detail } from '~/components/Detail';
import { RelatedList } from '~/components/RelatedList';
import { t } from '~/text';
import { hostColumns, toHost } from './Hosts';

export default function Range() {
  return (
    <Detail<IPRange> path="/ip-ranges" noun={t.nouns.range} title={(r) => r.cidr}>
      {(r) => <RelatedList<Host> title={t.nouns.host.title} path="/hosts" project={r.projectId} q={`host:${r.cidr}`} columns={hostColumns} to={toHost} empty={t.range.noHosts} />}
    </Detail>
  );
}
