import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { settled, type World } from './world';

const password = 'correct horse battery';

/** access invites somebody, gives them a role, and turns the second factor on and off. */
export function access(w: () => World) {
  it('invites a user, who sets a password with the link', async () => {
    const page = await w().open();
    await page.goto('/users');
    await page.getByRole('button', { name: 'Invite a user' }).click();
    await page.getByRole('dialog').getByLabel('E-mail').fill('grace@example.com');
    await page.getByRole('dialog').getByRole('button', { name: 'Invite a user' }).click();
    const link = (await page.getByRole('alert').locator('.mono').textContent()) ?? '';
    expect(link).toContain('/set-password#');
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('row').filter({ hasText: 'grace@example.com' }).waitFor();
    await page.goto('/projects');
    await page.getByRole('link', { name: 'Acme' }).click();
    await page.getByRole('textbox', { name: 'A user or a group' }).click();
    await page.getByRole('option', { name: 'grace@example.com' }).click();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('table', { name: 'Roles in this project' }).getByText('grace@example.com').waitFor();
    await page.context().close();

    const theirs = await w().open(undefined, false);
    await theirs.goto(link);
    await theirs.locator('[autocomplete=new-password]').fill('another horse battery');
    await theirs.getByRole('button', { name: 'Set the password' }).click();
    await theirs.getByRole('link', { name: 'Log in' }).click();
    await theirs.getByLabel('E-mail').fill('grace@example.com');
    await theirs.locator('[autocomplete=current-password]').fill('another horse battery');
    await theirs.getByRole('button', { name: 'Log in' }).click();
    await theirs.getByRole('navigation').getByRole('link', { name: 'Projects' }).waitFor();
    // a viewer is not offered what would be refused
    expect(await theirs.getByRole('navigation').getByRole('link', { name: 'Users' }).count()).toBe(0);
    await theirs.goto('/jobs');
    await settled(theirs);
    expect(await theirs.getByRole('link', { name: 'New job' }).count()).toBe(0);
    await theirs.context().close();
  });

  it('makes an API key that is shown once', async () => {
    const page = await w().open();
    await page.goto('/profile');
    await page.getByRole('button', { name: 'New API key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('ci');
    await dialog.getByRole('textbox', { name: 'Scopes' }).fill('resources:*:read');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await dialog.getByRole('button', { name: 'New API key' }).click();
    const token = (await page.getByRole('alert').locator('.mono').textContent()) ?? '';
    const answer = await fetch(`${w().server.url}/api/v1/hosts`, { headers: { Authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('row').filter({ hasText: 'ci' }).getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('No API keys').waitFor();
    await page.context().close();
  });

  it('asks for a second factor once it is on', async () => {
    const page = await w().open();
    await page.goto('/profile');
    await page.getByRole('button', { name: 'Turn it on' }).click();
    await page.getByRole('img', { name: 'The secret as a QR code' }).waitFor();
    const factor = page.getByRole('region', { name: 'Second factor' });
    const secret = (await factor.locator('.mono').textContent()) ?? '';
    await factor.getByRole('textbox', { name: 'Code' }).fill(totp(secret, 0));
    await factor.locator('[autocomplete=current-password]').fill(password);
    await factor.getByRole('button', { name: 'Turn it on' }).click();
    await factor.getByRole('button', { name: 'Turn it off' }).waitFor();

    const other = await w().open(undefined, false);
    await other.goto('/login');
    await other.getByLabel('E-mail').fill('ada@example.com');
    await other.locator('[autocomplete=current-password]').fill(password);
    await other.getByRole('button', { name: 'Log in' }).click();
    // the code that turned it on was used; the next one is accepted as well
    await other.getByLabel('Code of your authenticator').fill(totp(secret, 1));
    await other.getByRole('button', { name: 'Log in' }).click();
    await other.getByRole('heading', { level: 1 }).waitFor();
    await other.waitForURL((u) => u.pathname === '/');
    await other.context().close();

    await factor.locator('[autocomplete=current-password]').fill(password);
    await factor.getByRole('button', { name: 'Turn it off' }).click();
    await factor.getByRole('button', { name: 'Turn it on' }).waitFor();
    await page.goto('/audit?q=econdFactor');
    await settled(page);
    await page.context().close();
  });
}

/** totp is the code an authenticator shows (RFC 6238), some steps from now. */
function totp(secret: string, ahead: number): string {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', key).update(step).digest();
  const at = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
