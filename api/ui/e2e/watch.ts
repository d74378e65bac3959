import { expect, it } from 'vitest';
import { lab } from './first';
import type { World } from './world';

interface Items<T> {
  items: T[];
  total: number;
}

/** watch looks at what the scan found through the project filter. */
export function watch(w: () => World) {
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
}
