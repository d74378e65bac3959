import { Link } from 'react-router';
import { t } from '~/text';

interface Made {
  builtIn?: boolean;
  sourceId?: string;
}

/** kept says that a job or a subscription is changed elsewhere: in the product, or in a repository. */
export const kept = (x: Made) => Boolean(x.builtIn || x.sourceId);

/** Origin says where a job or a subscription comes from, when a person did not write it here. */
export function Origin({ of: x }: { of: Made }) {
  if (x.builtIn) return <span className="faint">{t.job.builtIn}</span>;
  return x.sourceId && <Link className="link faint" to={`/sources/${x.sourceId}`}>{t.sources.from}</Link>;
}
