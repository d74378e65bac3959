import { describe, expect, it } from 'vitest';
import { argumentOf, textOf } from './arguments';
import { skeleton } from './skeleton';

describe('argumentOf', () => {
  it.each([
    ['string', 'a b', 'a b'],
    ['number', ' 5 ', 5],
    ['number', 'five', 'five'],
    ['boolean', 'true', true],
    ['boolean', 'false', false],
    ['string[]', 'a, b,', ['a', 'b']],
    ['number[]', '80, 443', [80, 443]],
  ] as const)('%s %j', (type, text, want) => {
    const a = argumentOf({ name: 'n', type }, text);
    expect(a).toEqual({ name: 'n', value: want });
  });
  it('leaves out what is empty', () => expect(argumentOf({ name: 'n', type: 'string' }, ' ')).toBeUndefined());
});

it('shows values', () => {
  expect([textOf(['a', 1]), textOf('x'), textOf(5), textOf(undefined)]).toEqual(['a, 1', 'x', '5', '']);
});

it('writes a document to begin with', () => {
  const doc = skeleton({ trigger: 'event', name: '', finding: 'CertificateFinding', job: 'HttpProbingJob', parameters: [{ name: 'targetIp', type: 'string' }, { name: 'timeoutSeconds', type: 'number' }] });
  expect(doc).toBe('name: Certificate to HttpProbingJob\ntriggerType: event\nfindings: [CertificateFinding]\ncooldown: 86400\njob:\n  name: HttpProbingJob\n  parameters:\n    - name: targetIp\n      value: ${ip}\n');
});
