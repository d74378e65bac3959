import { expect, it } from 'vitest';
import { again } from './again';

const failing = (times: number) => {
  const calls = { n: 0 };
  return { calls, what: () => (++calls.n <= times ? Promise.reject(new Error(`call ${calls.n}`)) : Promise.resolve('done')) };
};

it('tries once more, and no more', async () => {
  const once = failing(1);
  expect(await again(once.what, undefined, 1)).toBe('done');
  const twice = failing(2);
  await expect(again(twice.what, undefined, 1)).rejects.toThrow('call 2');
});

it('leaves what nobody wants', async () => {
  const gone = failing(1);
  const stop = AbortSignal.abort();
  await expect(again(gone.what, stop, 1)).rejects.toThrow('call 1');
  expect(gone.calls.n).toBe(1);
});
