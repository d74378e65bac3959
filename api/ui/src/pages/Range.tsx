import type { IPRange } from '~/api/types';
import { Detail } from '~/components/Detail';
import { t } from '~/text';

export default function Range() {
  return <Detail<IPRange> path="/ip-ranges" noun={t.nouns.range} title={(r) => r.cidr} />;
}
