import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { settled, type World } from './world';

/** lists does with lists what an operator does all day. */
export function lists(w: () => World) {
  it('complete a filter, and say what is wrong with one and where', async () => {
    const page = await w().open();
    await page.goto('/websites');
    await settled(page);
    const box = page.getByRole('combobox', { name: 'Filter websites' });
    await box.fill('stat');
    await page.getByRole('option', { name: /^status:/ }).click();
    await page.getByRole('option', { name: /^403/ }).click();
    await page.waitForURL(/q=status%3A403/);
    await box.fill('port:8443 colour:red ');
    const alert = page.getByRole('alert').filter({ hasText: 'colour' });
    await alert.getByText('at 11:').waitFor();
    expect(await alert.locator('mark').textContent()).toBe('colour');
    expect(page.url()).not.toContain('colour');
    await page.context().close();
  });

  it('count values, and filter by those that are clicked', async () => {
    const page = await w().open();
    await page.goto('/websites');
    await settled(page);
    const facets = page.getByRole('complementary', { name: 'Filter by values' });
    await facets.getByRole('button', { name: /^Grafana/ }).click();
    await page.waitForURL(/q=technology%3AGrafana/);
    await page.waitForFunction(() => [...document.querySelectorAll('[role=rowgroup] [role=row]')].every((r) => r.textContent?.includes('Grafana')));
    await page.goBack();
    await page.context().close();
  });

  it('sort, remember a search, and export exactly what is shown', async () => {
    const page = await w().open();
    await page.goto('/ports?q=protocol:tcp');
    await settled(page);
    await page.getByRole('columnheader', { name: 'Port', exact: true }).getByRole('button').click();
    await page.waitForURL(/sort=port/);
    await page.getByRole('button', { name: 'Saved searches' }).click();
    await page.getByRole('textbox', { name: 'Name of this search' }).fill('By number');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByLabel('Version').uncheck();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Export what is shown' }).click();
    const saving = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    const [head = '', ...rows] = readFileSync(await (await saving).path(), 'utf8').trim().split(/\r?\n/);
    expect(head).toContain('port,protocol,ip,service,product');
    expect(head).not.toContain('version');
    expect(rows).toHaveLength(Number(await page.locator('[role=table]').getAttribute('aria-rowcount')) - 1);
    const ports = rows.map((r) => Number(r.split(',')[0]));
    expect(ports).toEqual([...ports].sort((a, b) => a - b));
    await page.goto('/ports');
    await page.getByRole('button', { name: 'Saved searches' }).click();
    await page.getByRole('link', { name: 'By number' }).click();
    await page.waitForURL(/sort=port/);
    await page.context().close();
  });

  it('tag several at once, and take that back', async () => {
    const page = await w().open();
    await page.goto('/hosts');
    await settled(page);
    const rows = page.locator('[role=rowgroup] [role=row]');
    await rows.nth(0).getByRole('checkbox').click();
    await rows.nth(1).getByRole('checkbox').click({ modifiers: ['Shift'] });
    await page.getByRole('toolbar', { name: '2 chosen' }).getByRole('button', { name: 'Tag', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Tag').fill('Crown jewels');
    await page.getByRole('dialog').getByRole('button', { name: 'Tag', exact: true }).click();
    await page.getByText('2 tagged').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('[role=rowgroup] [role=row]').length > 0 && document.body.innerText.split('Crown jewels').length >= 3);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone').waitFor();
    await page.waitForFunction(() => !document.querySelector('[role=rowgroup]')?.textContent?.includes('Crown jewels'));
    await page.context().close();
  });

  it('show pictures of websites', async () => {
    const page = await w().open();
    await page.goto('/websites');
    await settled(page);
    await page.getByText('Pictures', { exact: true }).click({ force: true });
    await page.getByText('No picture').first().waitFor();
    await page.context().close();
  });
}
