import { expect, it } from 'vitest';
import { shot, type World } from './world';

const pasted = ['{"host":"www.import.test","ip":"127.0.9.1","port":443}', '{"host":"broken', 'nothing', '{"host":"api.import.test","ip":"127.0.9.2","port":8443}'];

/** incoming brings in what other tools found. */
export function incoming(w: () => World) {
  it('shows what was pasted before it is taken, with every line that is wrong', async () => {
    const page = await w().open();
    await page.goto('/hosts');
    await page.getByRole('button', { name: 'Add targets' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Results of other tools').click();
    await dialog.getByRole('textbox', { name: 'Or paste it' }).fill(pasted.join('\n'));
    await dialog.getByText('Choose the project it belongs to').waitFor();
    await dialog.getByRole('textbox', { name: 'Project' }).click();
    await page.getByRole('option', { name: 'Acme' }).click();
    const preview = dialog.getByRole('region', { name: 'What it holds' });
    await preview.getByText('naabu').waitFor();
    const problems = preview.getByRole('list', { name: 'Lines that are not understood' }).getByRole('listitem');
    await problems.filter({ hasText: 'line 3' }).getByText('nothing', { exact: true }).waitFor();
    expect(await problems.count()).toBe(2);
    await shot(page, 'import-light-1440');
    await dialog.getByRole('button', { name: /^Import \d+ findings$/ }).click();
    await dialog.getByRole('region', { name: 'Imported' }).waitFor();
    await dialog.getByRole('link', { name: 'Show the findings' }).click();
    await page.waitForURL(/findings.*source%3Aimport/);
    await page.getByRole('region', { name: 'Findings' }).getByRole('link', { name: '127.0.9.1', exact: true }).first().waitFor();
    await page.context().close();
  });

  it('takes a file, and the same file again changes nothing', async () => {
    const page = await w().open();
    for (const fresh of [true, false]) {
      await page.goto('/projects');
      await page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Acme' }) }).getByRole('button', { name: 'Add targets' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Results of other tools').click();
      const choosing = page.waitForEvent('filechooser');
      await dialog.getByRole('button', { name: 'Choose a file' }).click();
      await (await choosing).setFiles({ name: 'scan.xml', mimeType: 'text/xml', buffer: Buffer.from(nmap) });
      await dialog.getByText(/^scan\.xml, /).waitFor();
      const preview = dialog.getByRole('region', { name: 'What it holds' });
      await preview.getByText('nmap').waitFor();
      await preview.getByText(fresh ? 'new' : 'imported before', { exact: true }).waitFor();
      await dialog.getByRole('button', { name: /^Import \d+ findings?$/ }).click();
      await dialog.getByRole('region', { name: 'Imported' }).waitFor();
    }
    await page.goto('/ports?q=port:2222');
    await page.getByRole('row').filter({ hasText: '127.0.9.3' }).waitFor();
    await page.context().close();
  });

  it('says when a file is nobody’s', async () => {
    const page = await w().open();
    await page.goto('/projects');
    await page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Acme' }) }).getByRole('button', { name: 'Add targets' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Results of other tools').click();
    await dialog.getByRole('textbox', { name: 'Or paste it' }).fill('<html><body>no scan</body></html>');
    await dialog.getByRole('alert').or(dialog.getByRole('list', { name: 'Lines that are not understood' })).first().waitFor();
    expect(await dialog.getByRole('button', { name: /^Import/ }).isDisabled()).toBe(true);
    await page.context().close();
  });
}

const nmap = `<?xml version="1.0"?>
<nmaprun scanner="nmap" start="1764000000" version="7.95" xmloutputversion="1.05">
<host starttime="1764000000" endtime="1764000009"><status state="up" reason="conn-refused"/><address addr="127.0.9.3" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="2222"><state state="open" reason="syn-ack"/><service name="ssh" product="OpenSSH" method="probed" conf="10"/></port></ports></host>
<runstats><finished time="1764000010" elapsed="10" exit="success"/><hosts up="1" down="0" total="1"/></runstats>
</nmaprun>
`;
