import { expect, it } from 'vitest';
import { settled, type World } from './world';

export function keyboard(w: () => World) {
  it('searches with /, walks with j and k, opens with o', async () => {
    const page = await w().open();
    await page.goto('/domains');
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type('www.lab');
    await page.waitForURL('**/domains?*q=www.lab*');
    await page.getByRole('row').filter({ hasText: 'www.lab.test' }).waitFor();
    await page.waitForFunction(() => document.querySelectorAll('[role=rowgroup] [role=row]').length === 1);
    await page.getByRole('combobox', { name: 'Filter domains' }).blur();
    await page.keyboard.press('j');
    await page.keyboard.press('o');
    await page.getByRole('heading', { level: 1, name: 'www.lab.test' }).waitFor();
    await page.context().close();
  });

  it('goes anywhere with the palette', async () => {
    const page = await w().open();
    await page.goto('/');
    await settled(page);
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('textbox').fill('shop.lab');
    await page.getByRole('dialog').getByRole('button', { name: 'shop.lab.test', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'shop.lab.test' }).waitFor();
    expect(page.url()).toMatch(/\/domains\/[0-9a-f]{24}/);
    await page.context().close();
  });

  it('follows a link whose id it made itself', async () => {
    const page = await w().open();
    await page.goto('/domains?q=www.lab.test');
    const host = page.getByRole('row').filter({ hasText: 'www.lab.test' }).getByRole('link', { name: /^127\./ }).first();
    const ip = (await host.textContent()) ?? '';
    await host.click();
    await page.getByRole('heading', { level: 1, name: ip }).waitFor();
    await page.context().close();
  });
}
