// A notification as a form holds it, and as the server takes it.
import type { Notification, NotificationInput } from '~/api/notifications';
import type { ChannelDraft } from '~/components/ChannelFields';

export interface NotificationDraft {
  name: string;
  projectId: string;
  source: Notification['source'];
  kind: string;
  what: string[];
  q: string;
  channel: ChannelDraft;
  digest: number;
  quiet: boolean;
  from: string;
  to: string;
  zone: string;
}

const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** draftOf begins a form with what is there, or with what most people want: to be told what appears. */
export function draftOf(n: Notification | undefined, project = ''): NotificationDraft {
  return {
    name: n?.name ?? '',
    projectId: n ? n.projectId ?? '' : project,
    source: n?.source ?? 'changes',
    kind: n?.kind ?? '',
    what: n ? n.what ?? [] : ['opened'],
    q: n?.q ?? '',
    channel: { type: n?.channel.type ?? 'webhook', url: '', secret: '', to: n?.channel.to ?? [], chat: n?.channel.chat ?? '' },
    digest: n?.digest ?? 0,
    quiet: n?.quiet !== undefined,
    from: n?.quiet?.from ?? '22:00',
    to: n?.quiet?.to ?? '07:00',
    zone: n?.quiet ? n.quiet.zone || 'UTC' : here(),
  };
}

/** inputOf is what the server is sent. An address and a secret that were not typed stay as they are. */
export function inputOf(d: NotificationDraft, was?: Notification): NotificationInput {
  const changes = d.source === 'changes';
  return {
    name: d.name.trim(),
    ...(!was && d.projectId ? { projectId: d.projectId } : {}),
    source: d.source,
    kind: changes ? d.kind : '',
    what: changes ? d.what : [],
    q: changes && !d.kind ? '' : d.q.trim(),
    ...(channelChanged(d.channel, was) ? { channel: channelOf(d.channel) } : {}),
    digest: d.digest,
    quiet: d.quiet ? { from: d.from, to: d.to, zone: d.zone } : { from: '', to: '' },
  };
}

function channelChanged(c: ChannelDraft, was?: Notification): boolean {
  if (!was || was.channel.type !== c.type) return true;
  if (c.type === 'email') return c.to.join() !== (was.channel.to ?? []).join();
  return c.url !== '' || (c.type === 'webhook' && c.secret !== '') || (c.type === 'telegram' && c.chat !== (was.channel.chat ?? ''));
}

function channelOf(c: ChannelDraft): NonNullable<NotificationInput['channel']> {
  if (c.type === 'email') return { type: c.type, to: c.to };
  return {
    type: c.type,
    ...(c.url ? { url: c.url.trim() } : {}),
    ...(c.type === 'webhook' && c.secret ? { secret: c.secret } : {}),
    ...(c.type === 'telegram' ? { chat: c.chat.trim() } : {}),
  };
}
