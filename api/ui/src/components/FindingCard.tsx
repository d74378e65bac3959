import { Button, Group, Text } from '@mantine/core';
import { IconAffiliate } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Finding } from '~/api/types';
import { fieldText, findingTitle, picture } from '~/lib/finding';
import { t } from '~/text';
import { CopyButton } from './CopyButton';
import { Explain } from './Explain';
import classes from './FindingCard.module.css';
import { KeyLink } from './Links';
import { Picture } from './Picture';
import { When } from './When';

/** FindingCard is one finding whole: who said it, when, and every field. */
export function FindingCard({ finding: f, about = false }: { finding: Finding; about?: boolean }) {
  const fields = f.fields.filter((x) => x.type !== 'image' && fieldText(x) !== '');
  const pictures = f.fields.filter((x) => picture(x));
  return (
    <article className={classes.card}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text fw={550} size="sm" style={{ overflowWrap: 'anywhere' }}>{findingTitle(f)}</Text>
        <CopyButton value={JSON.stringify(f, null, 2)} label={t.finding.json} />
      </Group>
      {about && <KeyLink of={f.correlationKey} />}
      {(fields.length > 0 || f.tag) && (
        <dl className={classes.fields}>
          {f.tag && <Pair name={t.resource.tags} value={f.tag} />}
          {fields.map((x, i) => <Pair key={`${x.key}${i}`} name={x.label || x.key} value={fieldText(x)} />)}
        </dl>
      )}
      {pictures.map((x, i) => <Picture key={`${x.key}${i}`} src={picture(x)} label={t.finding.image(x.label || x.key)} />)}
      <div className={classes.foot}>
        <When at={f.at} />
        <span aria-hidden>·</span>
        {f.executionId ? <Link className="link" to={`/executions/${f.executionId}`}>{f.job ?? f.executionId}</Link> : t.finding.sources[f.source]}
      </div>
      <div className={classes.more}>
        <Button component={Link} to={`/subscriptions/new?finding=${encodeURIComponent(f.key)}`} variant="subtle" size="compact-xs" leftSection={<IconAffiliate size={13} />}>{t.launch.subscribe}</Button>
        <Explain finding={f.id} />
      </div>
    </article>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="mono">{value}</dd>
    </>
  );
}
