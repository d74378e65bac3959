// Users, groups, keys, sessions and the audit log.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get } from './client';
import type { Schemas } from './types';

export type UserDetail = Schemas['UserDetail'];
export type Group = Schemas['Group'];
export type ApiKey = Schemas['ApiKey'];
export type NewApiKey = Schemas['NewApiKey'];
export type Session = Schemas['Session'];
export type AuditEvent = Schemas['AuditEvent'];
export type Member = Schemas['Member'];
export type Invited = Schemas['InvitedUser'];
export type PasswordLink = Schemas['PasswordLink'];

/** useItems reads a list that comes whole. */
export const useItems = <T>(path: string, enabled = true) =>
  useQuery({ queryKey: ['access', path], queryFn: ({ signal }) => get<{ items: T[] }>(path, {}, signal).then((p) => p.items), enabled });

/** useDo sends a change of access, after which everything about access is asked for again. */
export function useDo<In = void, Out = unknown>(send: (input: In) => Promise<Out>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: ['access'] }), client.invalidateQueries({ queryKey: ['me'] })]),
  });
}

/** linkOf is what an invited person opens. */
export const linkOf = (l: PasswordLink) => `${window.location.origin}${l.path}`;
