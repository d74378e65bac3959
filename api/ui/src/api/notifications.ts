// Who is told what, and what they were told.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useChange } from './automation';
import { get, patch, post } from './client';
import { useAll } from './queries';
import type { Schemas } from './types';

export type Notification = Schemas['Notification'];
export type Message = Schemas['Message'];
export type MessageState = Schemas['MessageState'];
export type ChannelType = Notification['channel']['type'];
export type Channel = Schemas['ChannelInput'];

export interface NotificationInput {
  name: string;
  projectId?: string;
  source: Notification['source'];
  kind: string;
  what: string[];
  q: string;
  /** missing: as it is */
  channel?: Channel;
  digest: number;
  quiet: NonNullable<Notification['quiet']>;
}

export const useNotifications = (project: string) => useAll<Notification>('/notifications', { project });

export const useSaveNotification = () =>
  useChange(({ id, ...n }: Partial<NotificationInput> & { id?: string; enabled?: boolean }) =>
    (id ? patch<Notification>(`/notifications/${id}`, n) : post<Notification>('/notifications', n)));

/** useTestNotification sends a message that says that it arrives. */
export const useTestNotification = (id: string) => useChange(() => post<{ status: number }>(`/notifications/${id}/test`));

export const useResend = (id: string) => useChange((message: string) => post<Message>(`/notifications/${id}/messages/${message}/resend`));

/** useMessages is the log of what was sent, the newest first. */
export const useMessages = (id: string, state: string) =>
  useInfiniteQuery({
    queryKey: ['one', 'messages', id, state],
    queryFn: ({ pageParam, signal }) => get<{ items: Message[]; next?: string }>(`/notifications/${id}/messages`, { state, limit: 50, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 3000,
  });
