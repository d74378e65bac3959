import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { settled, type World } from './world';

interface Items<T> {
  items: T[];
}

const endless = 'import time\nfrom stalker_sdk import log_info\n\nlog_info("waiting")\ntime.sleep(600)\n';

/** rest is what the other journeys do not come by. */
export function rest(w: () => World) {
  it('makes a group, changes it, deletes it, and finds all of that in the audit log', async () => {
    const page = await w().open();
    await page.goto('/groups');
    await page.getByRole('button', { name: 'New group' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Lookers');
    await dialog.getByRole('textbox', { name: 'Scopes' }).fill('resources:*:read');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await dialog.getByRole('button', { name: 'Save' }).click();
    const groups = page.getByRole('table', { name: 'Groups' });
    const row = groups.getByRole('row').filter({ hasText: 'Lookers' });
    await row.getByText('resources:*:read').waitFor();
    await row.getByRole('button', { name: 'Lookers' }).click();
    await dialog.getByLabel('Description').fill('See what there is');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row.getByText('See what there is').waitFor();
    await row.getByRole('button', { name: 'Lookers' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    const sure = page.getByRole('dialog', { name: 'Delete the group' });
    await sure.getByRole('textbox').fill('Lookers');
    await sure.getByRole('button', { name: 'Delete' }).click();
    await row.waitFor({ state: 'detached' });

    await page.goto('/audit');
    const log = page.getByRole('region', { name: 'Audit log' });
    await page.getByRole('textbox', { name: 'Search people, paths, addresses' }).fill('/groups');
    await page.waitForURL(/q=%2Fgroups/);
    for (const action of ['createGroup', 'updateGroup', 'deleteGroup']) await log.getByText(action).first().waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as CSV' }).click();
    const csv = readFileSync(await (await saved).path(), 'utf8');
    expect(csv).toMatch(/createGroup/);
    expect(csv).toContain('ada@example.com');
    await page.context().close();
  });

  it('stops what runs', async () => {
    const acme = (await w().server.get<Items<{ id: string; name: string }>>('/projects')).items.find((p) => p.name === 'Acme')!;
    await w().server.post('/jobs', { name: 'EndlessJob', type: 'code', language: 'python', code: endless });
    const run = await w().server.post<{ id: string }>('/executions', { projectId: acme.id, job: 'EndlessJob', arguments: [] });
    const page = await w().open();
    await page.goto(`/executions/${run.id}`);
    await page.getByRole('log').getByText('waiting').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.locator('header').getByText('Stopped').waitFor();
    await page.getByText('A person stopped it').waitFor();
    await page.getByRole('button', { name: 'Run again' }).waitFor();
    await page.context().close();
  });

  it('keeps a note and an owner', async () => {
    const page = await w().open();
    await page.goto('/domains?q=domain:lab.test');
    await page.getByRole('link', { name: 'lab.test', exact: true }).click();
    const note = page.getByRole('region', { name: 'Note' });
    await note.getByRole('textbox', { name: 'Note' }).fill('Renew it in <b>March</b>');
    await note.getByLabel('Owner').fill('Team web');
    await note.getByRole('button', { name: 'Save' }).click();
    await note.getByRole('button', { name: 'Save' }).waitFor({ state: 'detached' });
    await page.goto('/domains?q=owner:"Team web"');
    await page.getByRole('link', { name: 'lab.test', exact: true }).click();
    await settled(page);
    expect(await note.getByRole('textbox', { name: 'Note' }).inputValue()).toBe('Renew it in <b>March</b>');
    await page.context().close();
  });
}
