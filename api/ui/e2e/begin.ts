import { expect, it } from 'vitest';
import { patience, shot, type World } from './world';

/** begin adds what is to be watched, and comes back later. */
export function begin(w: () => World) {
  it('takes targets, pasted, and says what it made of them', async () => {
    const page = await w().open();
    await page.goto('/projects');
    await page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Acme' }) }).getByRole('button', { name: 'Add targets' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Domains, addresses and networks').fill('https://nobody.invalid/login\n10.1.2.3\nnot a target!\n');
    await dialog.getByText('1 domain, 1 address').waitFor();
    await dialog.getByText('line 3: not').waitFor();
    await dialog.getByText('Allow it to scan 10.0.0.0/8').waitFor();
    await shot(page, 'targets-light-1440');
    await dialog.getByRole('button', { name: 'Add 2' }).click();
    await page.getByText('2 targets added').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Domains' }).click();
    await page.getByRole('region', { name: 'Domains' }).getByRole('link', { name: 'nobody.invalid' }).waitFor();
    await page.context().close();
  });

  it('asks whoever comes later to log in, and brings them where they wanted to go', async () => {
    const page = await w().open();
    await page.goto('/');
    await page.getByRole('button', { name: 'Account and theme' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.waitForURL('**/login');
    await page.goto('/ports?q=http');
    await page.waitForURL('**/login?next=*');
    await shot(page, 'login-light-1440');
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.locator('[autocomplete=current-password]').fill('wrong horse battery');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    await page.locator('[autocomplete=current-password]').fill('correct horse battery');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Ports' }).waitFor({ timeout: patience });
    expect(new URL(page.url()).searchParams.get('q')).toBe('http');
    await w().remember(page);
    await page.context().close();
  });
}
