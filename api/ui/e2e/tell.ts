import { expect, it } from 'vitest';
import { barriers } from './axe';
import { Receiver } from './receiver';
import { shot, type World } from './world';

interface Items {
  items: { id: string; name: string }[];
}

/** tell has a program of this machine told what happens. */
export function tell(w: () => World) {
  it('tells a program what appears, keeps the log, and sends again', async () => {
    const receiver = await Receiver.start('shared by both sides');
    const page = await w().open();
    try {
      const acme = (await w().server.get<Items>('/projects')).items.find((p) => p.name === 'Acme')!;
      await page.goto('/notifications');
      await page.getByText('Nobody is told anything yet').waitFor();
      await shot(page, 'notifications-empty-light-1440');
      await page.getByRole('link', { name: 'Tell somebody' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('New names');
      await page.getByRole('textbox', { name: 'Project' }).click();
      await page.getByRole('option', { name: 'Acme' }).click();
      await page.getByRole('textbox', { name: 'Kind' }).click();
      await page.getByRole('option', { name: 'Domains' }).click();
      await page.getByRole('combobox', { name: /^A filter/ }).fill('domain:told.test');
      await page.getByLabel('Address').fill('ftp://nowhere');
      await page.locator('[autocomplete=new-password]').fill('shared by both sides');
      await page.getByRole('button', { name: 'Create it' }).click();
      await page.getByRole('alert').getByText('channel.url').waitFor();
      expect(await barriers(page)).toEqual([]);
      await page.getByLabel('Address').fill(receiver.url);
      await page.getByRole('button', { name: 'Create it' }).click();
      await page.getByRole('heading', { level: 1, name: 'New names' }).waitFor();
      expect(await page.content()).not.toContain('token=closed');

      await page.getByRole('button', { name: 'Send a test' }).click();
      await page.getByText('It arrived: the receiver answered 204.').waitFor();
      expect(receiver.told).toMatchObject([{ genuine: true }]);

      await w().server.post(`/projects/${acme.id}/domains`, { domains: ['told.test', 'untold.test'] });
      const log = page.getByRole('table', { name: 'What was sent' });
      await log.getByText('Delivered').waitFor();
      expect(receiver.told).toHaveLength(2);
      const [, first] = receiver.told;
      expect(first).toMatchObject({ genuine: true, body: { events: [{ change: { what: 'opened' } }] } });
      expect(first!.body.events![0]!.change!.correlationKey).toContain('told.test');
      receiver.status = 503;
      await log.getByRole('button', { name: 'Send again' }).click();
      await log.getByText(/503/).waitFor();
      await log.getByText(/tried again in/).waitFor();
      expect(receiver.told[2]!.id).toBe(first!.id);
      await shot(page, 'notification-waiting-light-1440');
    } finally {
      receiver.stop();
      await page.context().close();
    }
  });

  it('is changed without telling its address, and switched off', async () => {
    const page = await w().open({ scheme: 'dark', width: 390 });
    await page.goto('/notifications');
    await page.getByRole('link', { name: 'New names' }).click();
    await page.getByPlaceholder(/^as it is, at 127\.0\.0\.1:/).waitFor();
    await page.getByLabel('Not at certain hours').check();
    await page.getByRole('textbox', { name: 'Time zone' }).click();
    await page.getByRole('textbox', { name: 'Time zone' }).fill('Paris');
    await page.getByRole('option', { name: 'Europe/Paris' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('22:00 to 07:00, Europe/Paris').waitFor();
    await page.getByText('On', { exact: true }).click();
    await page.getByRole('switch', { name: 'Off' }).waitFor({ state: 'attached' });
    expect(await barriers(page)).toEqual([]);
    const kept = await w().server.get<{ items: { enabled: boolean; channel: { host?: string } }[] }>('/notifications');
    expect(kept.items).toMatchObject([{ enabled: false, channel: { host: expect.stringMatching(/^127\.0\.0\.1:/) as string } }]);
    await page.context().close();
  });
}
