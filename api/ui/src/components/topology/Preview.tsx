import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { useOne } from '~/api/queries';
import type { Domain, Host, Port, Website } from '~/api/types';
import { Facts, type Fact } from '~/components/Facts';
import { Panel } from '~/components/Panel';
import { StatusCode } from '~/components/StatusCode';
import { Tags } from '~/components/Tags';
import { When } from '~/components/When';
import { pathOf } from '~/lib/key';
import { count } from '~/lib/number';
import type { Thing } from '~/lib/surroundings';
import { daysUntil } from '~/lib/time';
import { t } from '~/text';
import classes from './Topology.module.css';

type Any = Domain & Partial<Omit<Host & Port & Website, keyof Domain>>;

/** Preview is what is known of the thing that is picked, and the ways on from it. */
export function Preview({ of: x, root }: { of: Thing; root: string }) {
  const path = pathOf(x.key);
  const cut = path.lastIndexOf('/');
  const one = useOne<Any>(path.slice(0, cut), path.slice(cut + 1)).data;
  return (
    <aside className={classes.preview} aria-live="polite">
      <Panel title={t.topology.picked} note={t.topology.one[x.kind]}>
        <div className={`mono ${classes.label}`}>{x.label}</div>
        <Facts facts={one ? facts(one) : []} />
        <div className={classes.ways}>
          <Button size="compact-sm" variant="default" component={Link} to={path}>{t.topology.open}</Button>
          {x.key !== root && <Button size="compact-sm" variant="default" component={Link} to={`${path}?tab=topology`}>{t.topology.center}</Button>}
        </div>
      </Panel>
    </aside>
  );
}

const facts = (r: Any): (Fact | false | undefined | '' | 0)[] => [
  r.title && [t.website.title, r.title],
  r.status && [t.website.status, <StatusCode key="s" code={r.status} />],
  r.technologies && r.technologies.length > 0 && [t.website.technologies, r.technologies.join(', ')],
  r.certificate && [t.website.certificate, t.website.expires(daysUntil(r.certificate.notAfter))],
  r.service && [t.port.service, [r.service, r.product, r.version].filter(Boolean).join(' ')],
  r.os && [t.host.os, r.os],
  r.domains && [t.host.domains, count(r.domains.length)],
  r.hosts && [t.domain.hosts, count(r.hosts.length)],
  r.tags.length > 0 && [t.resource.tags, <Tags key="t" tags={r.tags} />],
  [t.resource.firstSeen, <When key="f" at={r.firstSeen} />],
  [t.resource.lastSeen, <When key="l" at={r.lastSeen} />],
];
