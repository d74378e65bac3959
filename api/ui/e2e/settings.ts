import { expect, it } from 'vitest';
import { barriers } from './axe';
import { settled, type World } from './world';

/** settings are how the server is configured, and how a person wants to see it. */
export function settings(w: () => World) {
  it('shows the configuration in force, what differs first, and no secret', async () => {
    const page = await w().open();
    await page.goto('/settings');
    const table = page.getByRole('table', { name: 'Configuration in force' });
    await table.getByRole('row', { name: /sso\.clientSecret.*\(hidden\).*changed/ }).waitFor();
    expect(await table.getByText('http.grace', { exact: true }).count()).toBe(0);
    await page.getByLabel('Only what differs from the default').uncheck();
    await table.getByText('http.grace', { exact: true }).waitFor();
    await page.getByRole('textbox', { name: 'Search keys and values' }).fill('notifications.settle');
    await table.getByRole('row', { name: /notifications\.settle 2s changed/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.context().close();
  });

  it('shows times and colours as a person wants them', async () => {
    const page = await w().open();
    await page.goto('/settings');
    await page.getByText('Dark', { exact: true }).click();
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor();
    await page.getByRole('textbox', { name: 'Time zone' }).fill('Tokyo');
    const loaded = page.waitForEvent('load');
    await page.getByRole('option', { name: 'Asia/Tokyo' }).click();
    await loaded;
    await page.goto('/schedule');
    await settled(page);
    await page.getByText('times of Asia/Tokyo').first().waitFor();
    await page.context().close();
  });
}
