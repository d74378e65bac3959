import { Button } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useAll } from '~/api/queries';
import { useScreenshot } from '~/api/screenshot';
import type { Certificate, Website as WebsiteView } from '~/api/types';
import { Detail } from '~/components/Detail';
import { Facts } from '~/components/Facts';
import { KeyLink } from '~/components/Links';
import { Panel } from '~/components/Panel';
import { Picture } from '~/components/Picture';
import { RelatedList } from '~/components/RelatedList';
import { SiteMap } from '~/components/SiteMap';
import { StatusCode } from '~/components/StatusCode';
import { domainKey, hostKey, portKey } from '~/lib/key';
import { onDay } from '~/lib/time';
import { t } from '~/text';
import { Expiry, toWebsite, websiteColumns } from './websiteColumns';

export default function Website() {
  return (
    <Detail<WebsiteView>
      path="/websites"
      noun={t.nouns.website}
      title={(w) => w.url}
      actions={(w) => <OpenWebsite url={w.url} />}
      facts={(w) => [
        w.title && [t.website.title, w.title],
        w.status && [t.website.status, <StatusCode key="s" code={w.status} />],
        w.server && [t.website.server, w.server],
        w.technologies.length > 0 && [t.website.technologies, w.technologies.join(', ')],
        w.mergedInto && [t.website.mergedInto, <Link key="m" className="link mono" to={`/websites/${w.mergedInto}`}>{w.mergedInto}</Link>],
        [t.website.domain, w.domain ? <KeyLink key="d" of={domainKey(w.projectId, w.domain)} /> : '–'],
        [t.website.host, <KeyLink key="h" of={hostKey(w.projectId, w.ip)} />],
        [t.website.port, <KeyLink key="p" of={portKey(w.projectId, w.ip, w.port, 'tcp')} label={String(w.port)} />],
      ]}
      side={(w) => w.certificate && <CertificatePanel website={w} certificate={w.certificate} />}
    >
      {(w) => (
        <>
          {w.screenshot && <Screenshot finding={w.screenshot} />}
          {w.siteMap.length > 0 && <SiteMap paths={w.siteMap} />}
          <Merged into={w} />
        </>
      )}
    </Detail>
  );
}

function Screenshot({ finding }: { finding: string }) {
  const src = useScreenshot(finding);
  return src && <Panel title={t.website.screenshot}><Picture src={src} label={t.website.screenshot} /></Panel>;
}

/** Merged lists the other names of a website, when it has some. */
function Merged({ into: w }: { into: WebsiteView }) {
  const q = `mergedIn:${w.id}`;
  const any = useAll<WebsiteView>('/websites', { project: w.projectId, q, limit: 1 }).data?.total;
  if (!any) return null;
  return <RelatedList<WebsiteView> title={t.website.merged} path="/websites" project={w.projectId} q={q} columns={websiteColumns} to={toWebsite} empty="" />;
}

/** OpenWebsite leaves for the site itself, which learns nothing of where the click came from. */
function OpenWebsite({ url }: { url: string }) {
  if (!/^https?:\/\//i.test(url)) return null;
  return (
    <Button component="a" href={url} target="_blank" rel="noopener noreferrer" variant="default" leftSection={<IconExternalLink size={14} />} title={t.website.open}>
      {t.website.visit}
    </Button>
  );
}

function CertificatePanel({ website, certificate: c }: { website: WebsiteView; certificate: Certificate }) {
  return (
    <Panel title={t.website.certificate} actions={<Expiry website={website} />}>
      <Facts
        facts={[
          [t.website.subject, c.subject],
          [t.website.issuer, c.issuer],
          [t.website.valid, t.website.until(onDay(c.notBefore), onDay(c.notAfter))],
          c.names.length > 0 && [t.website.names, c.names.join(', ')],
          [t.website.fingerprint, <span key="f" className="mono">{c.fingerprint}</span>],
        ]}
      />
    </Panel>
  );
}
