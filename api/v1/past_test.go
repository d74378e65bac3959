package v1

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

// pastShelf remembers what it was asked, and answers with what it holds.
type pastShelf struct {
	shelf
	changes pipeline.ChangeQuery
	diff    pipeline.DiffQuery
	past    pipeline.PastQuery
	picture string
	asked   struct {
		project, finding string
		n                int
	}
}

var when = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	resourceID = "0123456789abcdef01234567"
	findingID  = "0123456789abcdef0123456789abcdef"
)

func (s *pastShelf) change(project string) pipeline.ChangePage {
	return pipeline.ChangePage{Items: []pipeline.Change{{
		ProjectID: project, At: when, What: pipeline.Gone, Kind: pipeline.KindPort, ResourceID: resourceID, CorrelationKey: "k", Before: "open", After: "closed",
	}}, Next: "more"}
}

func (s *pastShelf) Changes(_ context.Context, q pipeline.ChangeQuery) (pipeline.ChangePage, error) {
	s.changes = q
	return s.change(q.ProjectID), nil
}

func (s *pastShelf) Diff(_ context.Context, q pipeline.DiffQuery) (pipeline.ChangePage, error) {
	s.diff = q
	return s.change(q.ProjectID), nil
}

func (s *pastShelf) AsOf(_ context.Context, q pipeline.PastQuery) (pipeline.PastPage, error) {
	s.past = q
	return pipeline.PastPage{Items: []pipeline.Past{{ResourceID: resourceID, CorrelationKey: "k", Kind: q.Kind, Closed: true, Attributes: map[string]string{"service": "ssh"}}}}, nil
}

func (s *pastShelf) Picture(_ context.Context, project, finding string, n int) (string, error) {
	s.asked.project, s.asked.finding, s.asked.n = project, finding, n
	if s.picture == "" {
		return "", pipeline.Errorf(pipeline.CodeNotFound, "the finding %s has no image %d", finding, n)
	}
	return s.picture, nil
}

// past is a project on a shelf, and its path.
func past(t *testing.T) (*pastShelf, *world, string) {
	t.Helper()
	s := &pastShelf{}
	w := newWorld(t, s)
	var p pipeline.Project
	w.operator().must("POST", "/projects", map[string]any{"name": "p"}, &p)
	return s, w, "/projects/" + p.ID
}

func TestChangesAreAskedFor(t *testing.T) {
	s, w, project := past(t)
	var got pipeline.ChangePage
	w.operator().must("GET", project+"/changes?resource="+resourceID+"&since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00%2B02:00&limit=7&cursor=abc", nil, &got)
	want := pipeline.ChangeQuery{
		ProjectID: strings.TrimPrefix(project, "/projects/"), ResourceID: resourceID, Limit: 7, Cursor: "abc",
		Since: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 1, 22, 0, 0, 0, time.UTC),
	}
	if d := cmp.Diff(want, s.changes); d != "" {
		t.Errorf("asked (-want +got)\n%s", d)
	}
	if len(got.Items) != 1 || got.Next != "more" || got.Items[0].What != pipeline.Gone || !got.Items[0].At.Equal(when) {
		t.Errorf("answered %+v", got)
	}
	w.operator().refused(400, "is no time, write it as", "GET", project+"/changes?since=yesterday", nil)
	w.operator().refused(400, "", "GET", project+"/changes?limit=0x", nil)
	w.operator().refused(400, "", "GET", project+"/changes?form=x", nil)
	w.operator().refused(404, "", "GET", "/projects/"+pipeline.NewID()+"/changes", nil)
}

func TestADiffIsBetweenTwoTimes(t *testing.T) {
	s, w, project := past(t)
	var got pipeline.ChangePage
	before := time.Now()
	w.operator().must("GET", project+"/diff?from=2026-11-01T00:00:00Z", nil, &got)
	if s.diff.To.Before(before.Add(-time.Second)) || s.diff.To.After(time.Now().Add(time.Second)) || !s.diff.From.Equal(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("asked %+v: the later time is now when it is not given", s.diff)
	}
	w.operator().must("GET", project+"/diff?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&limit=3", nil, &got)
	if s.diff.To.Day() != 2 || s.diff.Limit != 3 || len(got.Items) != 1 {
		t.Errorf("asked %+v, answered %+v", s.diff, got)
	}
	w.operator().refused(400, "is no time", "GET", project+"/diff?from=2026-11-01T00:00:00Z&to=later", nil)
}

func TestThePastIsAskedForByKind(t *testing.T) {
	s, w, project := past(t)
	for path, kind := range pastKinds {
		var got pipeline.PastPage
		w.operator().must("GET", project+"/"+path+"/as-of?time=2026-11-01T00:00:00Z", nil, &got)
		if s.past.Kind != kind || s.past.At.Month() != 11 || len(got.Items) != 1 || !got.Items[0].Closed || got.Items[0].Attributes["service"] != "ssh" {
			t.Errorf("%s: asked %+v, answered %+v", path, s.past, got)
		}
	}
	for _, bad := range []string{"/cats/as-of?time=2026-11-01T00:00:00Z", "/ports/as-of", "/ports/as-of?time=then"} {
		if a := w.operator().call("GET", project+bad, nil); a.status != http.StatusBadRequest && a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
}

// What is of one project is not shown to who may see another.
func TestThePastIsOfWhoMaySeeTheProject(t *testing.T) {
	_, w, project := past(t)
	stranger := w.person("stranger@example.com")
	for _, path := range []string{"/changes", "/diff?from=2026-11-01T00:00:00Z", "/ports/as-of?time=2026-11-01T00:00:00Z", "/findings/" + findingID + "/images/0"} {
		if a := stranger.call("GET", project+path, nil); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
			t.Errorf("%s: a stranger is answered %d %s", path, a.status, a.body)
		}
	}
}

func TestAPictureIsServedAsNothingElse(t *testing.T) {
	s, w, project := past(t)
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 3))); err != nil {
		t.Fatal(err)
	}
	path := project + "/findings/" + findingID + "/images/"
	w.operator().refused(404, "has no image 2", "GET", path+"2", nil)
	s.picture = "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
	a := w.operator().must("GET", path+"1", nil, nil)
	if !bytes.Equal(a.body, b.Bytes()) || s.asked.n != 1 || s.asked.finding != findingID || project != "/projects/"+s.asked.project {
		t.Errorf("%d bytes for %+v", len(a.body), s.asked)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "private, max-age=31536000, immutable", "ETag": `"` + findingID + `-1"`, "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if again := w.operator().call("GET", path+"1", nil, "If-None-Match", a.header.Get("ETag")); again.status != http.StatusNotModified || len(again.body) > 0 {
		t.Errorf("once more: %d, %d bytes", again.status, len(again.body))
	}
	// what is stored may be from before a check was made
	for _, evil := range []string{"data:text/html;base64,PHNjcmlwdD4=", "data:image/svg+xml;base64,PHN2Zy8+", "data:image/png;base64,PHNjcmlwdD4=", "javascript:alert(1)"} {
		s.picture = evil
		if a := w.operator().call("GET", path+"0", nil); a.status < 400 || strings.HasPrefix(a.header.Get("Content-Type"), "image/") || strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s is served: %d %s", evil, a.status, a.header.Get("Content-Type"))
		}
	}
	for _, bad := range []string{project + "/findings/" + url.PathEscape("../x") + "/images/0", path + "-1", path + "x", path + "99999"} {
		if a := w.operator().call("GET", bad, nil); a.status != http.StatusBadRequest && a.status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
}
