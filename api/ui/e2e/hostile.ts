import { expect, it } from 'vitest';
import { settled, type World } from './world';

const markup = "<script>alert('lab')</script>";

const evil = {
  log: "<script>alert('log')</script>",
  name: '<img src=x onerror=alert(1)>',
  label: '<svg onload=alert(2)>',
  value: '"><script>alert(3)</script>javascript:alert(4)',
  title: "<script>alert('title')</script>",
  server: '<img src=x onerror=alert(5)>',
  subject: 'CN=<script>alert(6)</script>',
  issuer: 'CN=<img src=x onerror=alert(7)>',
};

const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(8)"><script>alert(9)</script></svg>').toString('base64');

const job = `from stalker_sdk import ImageField, IpFinding, TextField, log_finding, log_info

log_info(${JSON.stringify(evil.log)})
log_finding(IpFinding("MarkupFinding", "127.0.9.1", name=${JSON.stringify(evil.name)}, fields=[TextField("markup", ${JSON.stringify(evil.label)}, ${JSON.stringify(evil.value)})]))
try:
    log_finding(IpFinding("PictureFinding", "127.0.9.1", fields=[ImageField("picture", "data:image/svg+xml;base64,${svg}")]))
except Exception as refused:
    log_info(f"refused: {refused}")
`;

const probed = {
  timestamp: '2026-01-01T00:00:00Z', url: 'https://evil.import.test:8443', input: 'evil.import.test', host: '127.0.9.4', port: '8443', scheme: 'https', path: '/', status_code: 200,
  title: evil.title, webserver: evil.server, tech: [evil.name],
  tls: {
    subject_dn: evil.subject, issuer_dn: evil.issuer, subject_an: ['evil.import.test'], not_before: '2026-01-01T00:00:00Z', not_after: '2036-01-01T00:00:00Z',
    fingerprint_hash: { sha256: 'ab'.repeat(32) },
  },
};

/** hostile looks at the host of the lab that sends markup wherever it can. */
export function hostile(w: () => World) {
  it('are shown as they are, and never run', async () => {
    const page = await w().open();
    await page.goto('/websites?q=hostile');
    await settled(page);
    await page.getByRole('row').filter({ hasText: 'hostile.lab.test' }).getByText(markup).waitFor();
    await page.getByRole('link', { name: /hostile\.lab\.test/ }).first().click();
    await page.getByText(markup).first().waitFor();
    await settled(page);
    expect(await page.locator('script:not([src])').count()).toBe(0);
    await page.context().close();
    expect(w().complaints).toEqual([]);
  });

  it('are text in logs, names, fields, labels and tags of findings, and no picture when they are SVG', async () => {
    const page = await w().open();
    const { server } = w();
    const { items } = await server.get<{ items: { id: string; name: string }[] }>('/projects');
    const projectId = items.find((p) => p.name === 'Acme')?.id;
    await server.post('/jobs', { name: 'MarkupJob', type: 'code', language: 'python', code: job });
    const { id } = await server.post<{ id: string }>('/executions', { job: 'MarkupJob', projectId, arguments: [] });
    await page.goto(`/executions/${id}`);
    await page.getByRole('log').getByText(evil.log).waitFor();
    await page.getByRole('log').getByText('svg+xml').first().waitFor();
    await page.goto('/findings?q=key:MarkupFinding');
    await page.getByRole('row').filter({ hasText: evil.name }).click({ position: { x: 120, y: 10 } });
    const drawer = page.getByRole('dialog', { name: 'Finding' });
    for (const text of [evil.name, evil.label, evil.value]) await drawer.getByText(text, { exact: true }).first().waitFor();
    expect(await page.locator('img[src^="data:image/svg"], img[src="x"], svg[onload]').count()).toBe(0);
    await page.context().close();
    expect(w().complaints).toEqual([]);
  });

  it('are text in titles, servers and certificates', async () => {
    const page = await w().open();
    const { server } = w();
    const { items } = await server.get<{ items: { id: string; name: string }[] }>('/projects');
    await server.post(`/projects/${items.find((p) => p.name === 'Acme')?.id}/imports?format=httpx`, JSON.stringify(probed));
    await page.goto('/websites?q=domain:evil.import.test');
    await page.getByRole('row').filter({ hasText: evil.title }).getByRole('link', { name: /evil\.import\.test/ }).click();
    const certificate = page.getByRole('region', { name: 'Certificate' });
    await certificate.getByText(evil.subject).waitFor();
    await certificate.getByText(evil.issuer).waitFor();
    await page.getByText(evil.server).first().waitFor();
    await settled(page);
    expect(await page.locator('img[src="x"], script:not([src])').count()).toBe(0);
    await page.context().close();
    expect(w().complaints).toEqual([]);
  });

  it('meet a policy that would refuse them anyway', async () => {
    const page = await w().open();
    await page.goto('/');
    await settled(page);
    const ran = await page.evaluate(() => {
      const s = document.createElement('script');
      s.textContent = 'window.ran = true';
      document.body.append(s);
      return 'ran' in window;
    });
    expect(ran).toBe(false);
    w().complaints.length = 0; // the refusal itself
    await page.context().close();
  });
}
