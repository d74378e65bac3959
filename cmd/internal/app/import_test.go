package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

const scanned = `<?xml version="1.0"?><nmaprun scanner="nmap" start="1700000000">
<host starttime="1700000001"><status state="up"/><address addr="203.0.113.7" addrtype="ipv4"/><hostnames><hostname name="acme.example" type="user"/></hostnames>
<ports><port protocol="tcp" portid="22"><state state="open"/><service name="ssh" product="OpenSSH" method="probed"/></port>
<port protocol="udp" portid="53"><state state="open"/></port></ports></host>
</nmaprun>`

type imported struct {
	Format                                   string
	Findings, New, Known, Rejected, Unplaced int
	Truncated, Visible                       bool
}

func (c *client) file(t *testing.T, path, body string) (out imported, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode < 300 {
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out, resp.StatusCode
}

func TestImportsAreTakenOnce(t *testing.T) {
	c, _ := server(t, t.TempDir())
	var p pipeline.Project
	c.must(t, "POST", "/api/v1/projects", map[string]any{"name": "Imported"}, &p)
	path := "/projects/" + p.ID + "/imports"
	for _, tc := range []struct {
		name, path, body string
		want             imported
	}{
		{"a dry run", path + "?dryRun=true", scanned, imported{Format: "nmap", Findings: 5, New: 5, Visible: true}},
		{"the file", path, scanned, imported{Format: "nmap", Findings: 5, New: 5, Visible: true}},
		{"the file again", path, scanned, imported{Format: "nmap", Findings: 5, Known: 5, Visible: true}},
		{"its first part", path, scanned[:strings.Index(scanned, "</nmaprun>")], imported{Format: "nmap", Findings: 5, Known: 5, Visible: true, Truncated: true}},
		{"a later run", path, strings.ReplaceAll(scanned, "170000000", "170100000"), imported{Format: "nmap", Findings: 5, New: 5, Visible: true}},
		{"a website of a known name", path, `{"url":"https://acme.example/login","status_code":200}`, imported{Format: "httpx", Findings: 3, New: 3, Visible: true}},
		{"a website of an unknown name", path, "https://other.example/\nhttps://other.example/\n!!\n:\n", imported{Format: "list", Findings: 2, New: 1, Known: 1, Unplaced: 2, Rejected: 2, Visible: true}},
	} {
		if got, status := c.file(t, tc.path, tc.body); status != 200 || cmp.Diff(got, tc.want) != "" {
			t.Errorf("%s: %d %+v, want %+v", tc.name, status, got, tc.want)
		}
	}
	if _, status := c.file(t, path+"?format=shodan", "x"); status != 400 {
		t.Errorf("an unknown format: %d", status)
	}
	if _, status := c.file(t, path, "<html>"); status != 400 {
		t.Errorf("other XML: %d", status)
	}
	q := "?limit=1000&project=" + p.ID
	got := map[string][]string{
		"ports":    names(t, c, "/api/v1/ports"+q, func(x pipeline.Port) string { return pipelineAddress(x) + " " + x.Service }),
		"websites": names(t, c, "/api/v1/websites"+q+"&q=domain:acme.example%20port:443", func(x pipeline.Website) string { return x.URL + " " + strings.Join(x.SiteMap, ",") }),
	}
	if !slices.Contains(got["ports"], "203.0.113.7:22/tcp ssh") || !slices.Contains(got["ports"], "203.0.113.7:53/udp ") || cmp.Diff(got["websites"], []string{"https://acme.example/ /login"}) != "" {
		t.Errorf("%v", got)
	}
	var page pipeline.Page[pipeline.StoredFinding]
	c.must(t, "GET", "/api/v1/findings"+q+"&q=source:import", nil, &page)
	if page.Total != 14 {
		t.Errorf("%d findings are stored as imported", page.Total)
	}
}

func pipelineAddress(x pipeline.Port) string {
	b, _ := json.Marshal(x.Port)
	return x.IP + ":" + string(b) + "/" + string(x.Protocol)
}
