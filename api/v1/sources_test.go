package v1

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

// repository is a git repository in a folder.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	return r
}

func (r repository) git(args ...string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", args...)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v %s", args, err, out)
	}
}

// commit writes files, "" removes one, and commits.
func (r repository) commit(files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		file := filepath.Join(r.dir, name)
		err := os.MkdirAll(filepath.Dir(file), 0o750)
		if err == nil && text == "" {
			err = os.Remove(file)
		} else if err == nil {
			err = os.WriteFile(file, []byte(text), 0o600)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.git("add", "-A")
	r.git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "x")
}

const (
	onPort    = "name: Probe\nfindings: [PortFinding]\ncooldown: 60\njob: {name: Probe}\n"
	jobYAML   = "name: Probe\ntype: code\nlanguage: python\nversion: 2\n"
	brokenSub = "name: Broken\nfindings: [PortFinding]\ncooldown: -1\njob: {name: Probe}\n"
)

// fromGit lists the subscriptions that came from a source, as "file name enabled".
func fromGit(c *client, source string) (out []string) {
	var p pipeline.Page[pipeline.Subscription]
	c.must("GET", "/subscriptions", nil, &p)
	for _, s := range p.Items {
		if s.SourceID == source {
			out = append(out, s.SourceFile+" "+s.Name+map[bool]string{true: " on", false: " off"}[s.Enabled])
		}
	}
	slices.Sort(out)
	return out
}

func TestASourceIsKept(t *testing.T) {
	w := newWorld(t, shelf{})
	op, repo := w.operator(), newRepository(t)
	repo.commit(map[string]string{
		"subscriptions/a.yaml": onPort, "subscriptions/b.yaml": strings.Replace(onPort, "Probe", "Other", 1), "subscriptions/c.yaml": brokenSub,
		"jobs/Probe/template.yaml": jobYAML, "jobs/Probe/main.py": "print(1)", "elsewhere/d.yaml": onPort,
	})
	var src sourceView
	op.must("POST", "/sources", map[string]any{"url": "file://" + repo.dir, "branch": "main"}, &src)
	if src.Error != "" || src.Jobs != 1 || src.Subscriptions != 2 || len(src.Commit) != 40 || src.Interval != 3600 {
		t.Fatalf("%+v", src)
	}
	if p := src.Problems; len(p) != 1 || p[0].File != "subscriptions/c.yaml" || p[0].Line != 3 || p[0].Column != 11 || p[0].Path != "cooldown" {
		t.Errorf("%+v", p)
	}
	var subs pipeline.Page[subscriptionView]
	op.must("GET", "/subscriptions", nil, &subs)
	var a subscriptionView
	for _, s := range subs.Items {
		if s.SourceFile == "subscriptions/a.yaml" {
			a = s
		}
	}
	if a.Broken || a.BuiltIn || !a.Enabled {
		t.Fatalf("%+v", a)
	}

	// a person may switch it and copy it, and not change or delete it
	op.must("PATCH", "/subscriptions/"+a.ID, map[string]any{"enabled": false}, nil)
	op.refused(403, "comes from a git source", "PATCH", "/subscriptions/"+a.ID, map[string]any{"document": strings.Replace(onPort, "60", "61", 1)})
	op.refused(403, "comes from a git source", "DELETE", "/subscriptions/"+a.ID, nil)
	var copied pipeline.Subscription
	op.must("POST", "/subscriptions/"+a.ID+"/duplicate", map[string]any{}, &copied)
	if copied.SourceID != "" || copied.SourceFile != "" {
		t.Errorf("%+v", copied)
	}

	// what changed there changes here; the person's decision stays, and so does what a
	// file held before it was broken; what is gone there is gone here
	repo.commit(map[string]string{
		"subscriptions/a.yaml": strings.Replace(onPort, "60", "120", 1), "subscriptions/b.yaml": "", "subscriptions/c.yaml": strings.Replace(brokenSub, "-1", "1", 1),
		"jobs/Probe/template.yaml": "name: [", "jobs/New/template.yaml": strings.Replace(jobYAML, "Probe", "New", 1), "jobs/New/main.py": "print(2)",
	})
	op.must("POST", "/sources/"+src.ID+"/sync", nil, &src)
	if got := fromGit(op, src.ID); !slices.Equal(got, []string{"subscriptions/a.yaml Probe off", "subscriptions/c.yaml Broken on"}) {
		t.Errorf("%v", got)
	}
	var now subscriptionView
	op.must("GET", "/subscriptions/"+a.ID, nil, &now)
	if !strings.Contains(now.Document, "cooldown: 120") || now.Version <= a.Version || now.Broken {
		t.Errorf("%+v", now)
	}
	if len(src.Problems) != 1 || src.Problems[0].File != "jobs/Probe/template.yaml" || src.Problems[0].Line != 1 {
		t.Errorf("%+v", src.Problems)
	}

	// a source that cannot be read keeps what it held
	op.must("PATCH", "/sources/"+src.ID, map[string]any{"branch": "gone"}, &src)
	if !strings.Contains(src.Error, "gone") || len(fromGit(op, src.ID)) != 2 {
		t.Errorf("%+v, %v", src, fromGit(op, src.ID))
	}
	op.must("DELETE", "/sources/"+src.ID, nil, nil)
	if got := fromGit(op, src.ID); got != nil {
		t.Errorf("left over: %v", got)
	}
	op.refused(404, "", "GET", "/sources/"+src.ID, nil)
}

func TestTwoFilesOfOneJobAndNamesThatAreTaken(t *testing.T) {
	w := newWorld(t, shelf{})
	op, repo := w.operator(), newRepository(t)
	op.must("POST", "/jobs", map[string]any{"name": "Mine", "type": "code", "language": "python", "code": "pass"}, nil)
	repo.commit(map[string]string{
		"subscriptions/a.yaml": onPort, "subscriptions/b.yaml": onPort, "jobs/Mine/template.yaml": strings.Replace(jobYAML, "Probe", "Mine", 1), "jobs/Mine/main.py": "x",
	})
	var src sourceView
	op.must("POST", "/sources", map[string]any{"url": "file://" + repo.dir, "interval": 0}, &src)
	if src.Subscriptions != 2 || src.Jobs != 0 || len(src.Problems) != 1 || !strings.Contains(src.Problems[0].Message, `named "Mine" exists already`) {
		t.Errorf("%+v", src)
	}
	op.refused(400, "url:", "POST", "/sources", map[string]any{"url": "ext::sh -c id"})
	op.refused(400, "at least 60 seconds", "POST", "/sources", map[string]any{"url": "file://" + repo.dir, "interval": 5})
}

// TestASourceKeepsJobTemplatesToo: they come, change and go with their files, and
// nobody changes them here.
func TestASourceKeepsJobTemplatesToo(t *testing.T) {
	w := newWorld(t, shelf{})
	op, repo := w.operator(), newRepository(t)
	template := strings.Replace(jobYAML, "Probe", "Theirs", 1)
	repo.commit(map[string]string{
		"job-templates/A/template.yaml": template, "job-templates/A/main.py": "print(1)",
		"job-templates/B/template.yaml": strings.Replace(jobYAML, "Probe", "Sized", 1) + "jobPodConfigName: XXXXL\n", "job-templates/B/main.py": "print(1)",
	})
	var src sourceView
	op.must("POST", "/sources", map[string]any{"url": "file://" + repo.dir, "branch": "main"}, &src)
	if src.Templates != 1 || src.Jobs != 0 || len(src.Problems) != 1 || src.Problems[0].File != "job-templates/B/template.yaml" || src.Problems[0].Path != "podSize" {
		t.Fatalf("%+v", src)
	}
	list := func() (all []jobView) {
		var page struct{ Items []jobView }
		op.must("GET", "/job-templates", nil, &page)
		return page.Items
	}
	have := list()
	if len(have) != 1 || have[0].Name != "Theirs" || have[0].SourceID != src.ID || have[0].SourceFile != "job-templates/A/template.yaml" {
		t.Fatalf("%+v", have)
	}
	op.refused(403, "comes from a git source", "PATCH", "/job-templates/"+have[0].ID, map[string]any{"summary": "mine"})
	op.refused(403, "comes from a git source", "DELETE", "/job-templates/"+have[0].ID, nil)

	repo.commit(map[string]string{"job-templates/A/main.py": "print(2)", "job-templates/B/template.yaml": ""})
	op.must("POST", "/sources/"+src.ID+"/sync", nil, &src)
	if now := list(); len(now) != 1 || now[0].Code != "print(2)" || now[0].Version != have[0].Version+1 {
		t.Errorf("%+v", now)
	}
	op.must("DELETE", "/sources/"+src.ID, nil, nil)
	if now := list(); len(now) != 0 {
		t.Errorf("%+v", now)
	}
}
