import { expect, it } from 'vitest';
import type { Notification } from '~/api/notifications';
import { draftOf, inputOf } from './notification';

const known: Notification = {
  id: '1', name: 'New SSH', enabled: true, version: 3, source: 'changes', kind: 'port', what: ['opened'], q: 'port:22', digest: 3600,
  channel: { type: 'webhook', host: 'hooks.example.com' }, quiet: { from: '22:00', to: '07:00' },
};

it('sends what is there back as it is, and no channel', () => {
  expect(inputOf(draftOf(known), known)).toEqual({
    name: 'New SSH', source: 'changes', kind: 'port', what: ['opened'], q: 'port:22', digest: 3600, quiet: { from: '22:00', to: '07:00', zone: 'UTC' },
  });
});

it('sends of a channel only what was typed', () => {
  const d = draftOf(known);
  expect(inputOf({ ...d, channel: { ...d.channel, secret: 'new' } }, known).channel).toEqual({ type: 'webhook', secret: 'new' });
  expect(inputOf({ ...d, channel: { ...d.channel, url: ' https://x.example/ ' } }, known).channel).toEqual({ type: 'webhook', url: 'https://x.example/' });
  expect(inputOf({ ...d, channel: { ...d.channel, type: 'email', to: ['a@example.com'] } }, known).channel).toEqual({ type: 'email', to: ['a@example.com'] });
  expect(inputOf({ ...d, channel: { ...d.channel, type: 'telegram', url: 'https://x.example/', chat: '7', secret: 'left over' } }, known).channel)
    .toEqual({ type: 'telegram', url: 'https://x.example/', chat: '7' });
});

it('leaves out what does not belong to findings, and a filter of no kind', () => {
  const d = draftOf(undefined, 'p');
  expect(inputOf({ ...d, name: 'High', source: 'findings', kind: 'port', q: 'key:NucleiFinding' })).toMatchObject({ projectId: 'p', kind: '', what: [], q: 'key:NucleiFinding' });
  expect(inputOf({ ...d, name: 'All', q: 'port:22' })).toMatchObject({ kind: '', what: ['opened'], q: '', quiet: { from: '', to: '' } });
});
