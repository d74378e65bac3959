import { expect, it } from 'vitest';
import { runDemo } from './server';
import { settled, shot, type World } from './world';

export const lab = 'Demo lab';

interface Items<T> {
  items: T[];
  total: number;
}

/** watch follows a real scan of the lab on this machine without reloading anything. */
export function watch(w: () => World) {
  it('is seen running, with its log, and ends in an inventory', { timeout: 420_000 }, async () => {
    const page = await w().open();
    await page.goto('/');
    const scan = runDemo(w().server, lab);
    scan.catch(() => undefined); // awaited below
    await page.getByRole('heading', { name: 'Running now' }).waitFor();
    await shot(page, 'running-light-1440');
    await page.goto('/executions');
    await settled(page);
    await page.getByRole('link', { name: /Job$/ }).first().click();
    await page.getByRole('log').getByText('attempt 1 of').waitFor();
    await scan;
    await page.goto('/');
    // other services of this machine that listen everywhere are found as well
    const { websites } = await w().server.get<{ websites: number }>('/counts');
    expect(websites).toBeGreaterThanOrEqual(25);
    await page.getByRole('main').getByRole('link', { name: /^Websites/ }).getByText(String(websites), { exact: true }).waitFor();
    await page.context().close();
  });

  it('is found again through the project filter, which stays in the address', async () => {
    const page = await w().open();
    await page.goto('/');
    await page.getByRole('button', { name: 'All projects: choose a project' }).click();
    await page.getByRole('option', { name: lab }).click();
    await page.getByRole('navigation').getByRole('link', { name: 'Websites' }).click();
    await page.getByRole('combobox', { name: 'Filter websites' }).fill('www.lab.test');
    await page.getByRole('link', { name: 'http://www.lab.test:8080/' }).waitFor();
    const { items } = await w().server.get<Items<{ id: string; name: string }>>('/projects');
    expect(new URL(page.url()).searchParams.get('project')).toBe(items.find((p) => p.name === lab)?.id);
    await page.reload();
    await page.getByRole('button', { name: `${lab}: choose a project` }).waitFor();
    await page.context().close();
  });

  it('found the certificate that is about to expire', async () => {
    const page = await w().open();
    await page.goto('/websites');
    await page.getByText(/^expires in [1-5] days?$/).first().waitFor();
    await page.context().close();
  });
}
