import { expect, it } from 'vitest';
import { barriers } from './axe';
import { shot, type World } from './world';

/** signOn logs people in with an account elsewhere. */
export function signOn(w: () => World) {
  it('brings somebody where they wanted to go', async () => {
    const page = await w().open(undefined, false);
    await page.goto('/hosts?q=port:22');
    await page.waitForURL('**/login?next=*');
    const button = page.getByRole('link', { name: 'Log in with single sign-on' });
    await button.waitFor();
    expect(await barriers(page)).toEqual([]);
    await button.click();
    await page.getByRole('heading', { level: 1, name: 'Hosts' }).waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('port:22');
    await page.getByRole('button', { name: 'Account and theme' }).click();
    await page.getByRole('menu').getByText('linus@example.com').waitFor();
    await page.context().close();
  });

  it('says on the login page why somebody is refused', async () => {
    const { who } = w().provider;
    w().provider.who = { ...who, sub: '2', email: 'ada@example.com' };
    try {
      const page = await w().open({ scheme: 'dark', width: 390 }, false);
      await page.goto('/login');
      await page.getByRole('link', { name: 'Log in with single sign-on' }).click();
      await page.getByRole('alert').getByText('is not linked to the single sign-on').waitFor();
      await shot(page, 'login-refused-dark-390');
      expect(await barriers(page)).toEqual([]);
      await page.context().close();
    } finally {
      w().provider.who = who;
    }
  });
}
