package deploy_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/deploy"
)

type template struct {
	Version    int    `yaml:"version"`
	Name       string `yaml:"name"`
	Type       string `yaml:"type"`
	Language   string `yaml:"language"`
	Image      string `yaml:"image"`
	Parameters []struct {
		Name string `yaml:"name"`
		Type string `yaml:"type"`
	} `yaml:"parameters"`
}

type subscription struct {
	Trigger  string `yaml:"triggerType"`
	Input    string
	Name     string   `yaml:"name"`
	Findings []string `yaml:"findings"`
	Job      struct {
		Name       string `yaml:"name"`
		Parameters []struct {
			Name string `yaml:"name"`
		} `yaml:"parameters"`
	} `yaml:"job"`
}

// Every job folder holds a template of its own name and code, and nothing else is
// embedded.
func TestJobs(t *testing.T) {
	jobs := templates(t)
	want := []string{
		"BannerGrabbingJob", "CertificateValidationJob", "DomainNameResolvingJob", "DomainSecurityScannerJob", "HttpProbingJob",
		"IpGeolocationJob", "KatanaCrawlingJob", "LoginDetectionJob", "MasscanRangeScanningJob", "SubdomainBruteforceJob", "SubdomainDiscoveryJob", "TcpIpRangeScanningJob", "TcpPortScanningJob", "UdpPortScanningJob",
		"WafIdentificationJob", "WebsiteCrawlingJob", "WebsiteScreenshotJob",
	}
	for _, name := range want {
		j, ok := jobs[name]
		if !ok {
			t.Fatalf("the catalogue has no job %s", name)
		}
		if j.Name != name || j.Version != 2 || j.Type != "code" || j.Language != "python" {
			t.Errorf("template of %s says %+v", name, j)
		}
		if j.Image != "" { // kubernetes.image is where the operator says what the cluster can pull
			t.Errorf("%s names the image %s, which no cluster but ours has", name, j.Image)
		}
	}
	if len(jobs) != len(want) {
		t.Errorf("the catalogue has %d jobs, %d are known here", len(jobs), len(want))
	}
}

// Subscriptions name jobs that exist and parameters those declare.
func TestSubscriptions(t *testing.T) {
	jobs := templates(t)
	files, err := fs.Glob(deploy.Catalogue(), "subscriptions/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no subscriptions: %v", err)
	}
	for _, f := range files {
		var s subscription
		read(t, f, &s)
		declared := map[string]bool{}
		for _, p := range jobs[s.Job.Name].Parameters {
			declared[p.Name] = true
		}
		if len(declared) == 0 || s.Name == "" || (s.Trigger == "cron") != (s.Input != "") || (s.Input == "") == (len(s.Findings) == 0) {
			t.Errorf("%s: incomplete, or its job %q does not exist", f, s.Job.Name)
		}
		for _, p := range s.Job.Parameters {
			if !declared[p.Name] {
				t.Errorf("%s: %s declares no parameter %q", f, s.Job.Name, p.Name)
			}
		}
	}
}

// The SDK is complete (files that begin with an underscore too) and holds neither
// tests nor caches.
func TestSDK(t *testing.T) {
	var extra []string
	err := fs.WalkDir(deploy.SDK(), ".", func(p string, d fs.DirEntry, err error) error {
		known := slices.Contains([]string{"stalker_sdk", "stalker_job_sdk", "red_kite_job_sdk"}, path.Dir(p))
		if err == nil && !d.IsDir() && (!known || strings.Contains(p, "test")) {
			extra = append(extra, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string(nil), extra); diff != "" {
		t.Errorf("unexpected files (-want +got):\n%s", diff)
	}
	for _, f := range []string{
		"stalker_sdk/__init__.py", "stalker_sdk/run.py", "stalker_sdk/py.typed", "stalker_sdk/technologies.json",
		"stalker_job_sdk/__init__.py", "red_kite_job_sdk/__init__.py",
	} {
		if _, err := fs.Stat(deploy.SDK(), f); err != nil {
			t.Error(err)
		}
	}
}

func templates(t *testing.T) map[string]template {
	t.Helper()
	entries, err := fs.ReadDir(deploy.Catalogue(), "jobs")
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]template{}
	for _, e := range entries {
		var j template
		read(t, path.Join("jobs", e.Name(), "template.yaml"), &j)
		if _, err := fs.Stat(deploy.Catalogue(), path.Join("jobs", e.Name(), "main.py")); err != nil {
			t.Error(err)
		}
		jobs[e.Name()] = j
	}
	return jobs
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := fs.ReadFile(deploy.Catalogue(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
