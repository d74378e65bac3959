import { PasswordInput, Select, TagsInput, TextInput } from '@mantine/core';
import type { ChannelType, Notification } from '~/api/notifications';
import { t } from '~/text';

/** ChannelDraft is a channel as a form holds it. */
export interface ChannelDraft {
  type: ChannelType;
  url: string;
  secret: string;
  to: string[];
  chat: string;
}

export const channelTypes: ChannelType[] = ['webhook', 'slack', 'discord', 'teams', 'telegram', 'email'];

interface Props {
  /** the one that is changed; its address and secret are not known here */
  was?: Notification['channel'];
  value: ChannelDraft;
  onChange: (c: ChannelDraft) => void;
}

/** ChannelFields asks who is told, and how. */
export function ChannelFields({ was, value: c, onChange }: Props) {
  const set = (part: Partial<ChannelDraft>) => onChange({ ...c, ...part });
  const known = was?.type === c.type && c.type !== 'email';
  return (
    <>
      <Select label={t.notifications.channel} allowDeselect={false} data={channelTypes.map((v) => ({ value: v, label: t.notifications.channels[v] }))} value={c.type} onChange={(v) => set({ type: (v ?? 'webhook') as ChannelType })} />
      {c.type === 'email' ? (
        <TagsInput label={t.notifications.to} description={t.notifications.toHint} maxTags={50} acceptValueOnBlur splitChars={[',', ';', ' ']} value={c.to} onChange={(to) => set({ to })} />
      ) : (
        <TextInput
          label={t.notifications.url} description={t.notifications.urlHints[c.type]} placeholder={known ? t.notifications.kept(was?.host ?? '') : undefined}
          type="url" required={!known} value={c.url} onChange={(e) => set({ url: e.currentTarget.value })} autoComplete="off" spellCheck={false} classNames={{ input: 'mono' }}
        />
      )}
      {c.type === 'telegram' && <TextInput label={t.notifications.chat} required value={c.chat} onChange={(e) => set({ chat: e.currentTarget.value })} autoComplete="off" />}
      {c.type === 'webhook' && (
        <PasswordInput
          label={t.notifications.secret} description={known && !c.url ? t.notifications.secretKept : t.notifications.secretHint}
          autoComplete="new-password" value={c.secret} onChange={(e) => set({ secret: e.currentTarget.value })}
        />
      )}
    </>
  );
}
