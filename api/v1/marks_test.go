package v1

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

const (
	project = "aaaaaaaaaaaaaaaaaaaaaaaa"
	hostID  = "bbbbbbbbbbbbbbbbbbbbbbbb"
	siteID  = "cccccccccccccccccccccccc"
	site2ID = "dddddddddddddddddddddddd"
)

// markStore knows three resources.
type markStore struct{ store }

func (markStore) Keys(_ context.Context, p string, kind pipeline.Kind, ids []string) (map[string]string, error) {
	known := map[pipeline.Kind]map[string]string{
		pipeline.KindHost: {hostID: "project:" + project + ";host:192.0.2.1"},
		pipeline.KindWebsite: {
			siteID:  "project:" + project + ";host:192.0.2.1;port:80;protocol:tcp;domain:;path:/",
			site2ID: "project:" + project + ";host:192.0.2.1;port:81;protocol:tcp;domain:;path:/",
		},
	}
	out := map[string]string{}
	for _, id := range ids {
		if k, ok := known[kind][id]; ok && p == project {
			out[id] = k
		}
	}
	return out, nil
}

// Hosts are three pages of two.
func (markStore) Hosts(_ context.Context, q pipeline.Query) (page pipeline.Page[pipeline.Host], err error) {
	n := len(q.Cursor)
	for i := range 2 {
		page.Items = append(page.Items, pipeline.Host{Seen: pipeline.Seen{CorrelationKey: fmt.Sprintf("project:%s;host:192.0.2.%d", q.ProjectID, 2*n+i)}})
	}
	if n < 2 {
		page.Next = q.Cursor + "x"
	}
	return page, nil
}

type produced struct{ recs []bus.Record }

func (p *produced) Produce(_ context.Context, recs []bus.Record) error {
	p.recs = append(p.recs, recs...)
	return nil
}

type arrived struct{ progress }

func (arrived) WaitCommitted(context.Context, string, bus.Offsets) error { return nil }

// What is asked for, and which decisions are written.
func TestMarks(t *testing.T) {
	const host = "project:" + project + ";host:192.0.2.1"
	for name, tc := range map[string]struct {
		kind pipeline.Kind
		in   markInput
		code pipeline.Code
		want []string
	}{
		"by id":             {pipeline.KindHost, markInput{Action: pipeline.MarkTag, IDs: []string{hostID, hostID}, Tag: "x"}, "", []string{"tag " + host + " x"}},
		"by selection":      {pipeline.KindHost, markInput{Action: pipeline.MarkBlock, Select: &selection{}, Cascade: true}, "", []string{"block 6"}},
		"unknown":           {pipeline.KindHost, markInput{Action: pipeline.MarkBlock, IDs: []string{hostID, siteID}}, pipeline.CodeNotFound, nil},
		"no id":             {pipeline.KindHost, markInput{Action: pipeline.MarkBlock, IDs: []string{"x"}}, pipeline.CodeInvalid, nil},
		"neither":           {pipeline.KindHost, markInput{Action: pipeline.MarkBlock}, pipeline.CodeInvalid, nil},
		"both":              {pipeline.KindHost, markInput{Action: pipeline.MarkBlock, IDs: []string{hostID}, Select: &selection{}}, pipeline.CodeInvalid, nil},
		"too many":          {pipeline.KindHost, markInput{Action: pipeline.MarkBlock, IDs: make([]string, MaxMarked+1)}, pipeline.CodeTooLarge, nil},
		"merge":             {pipeline.KindWebsite, markInput{Action: pipeline.MarkMerge, IDs: []string{siteID}, Into: site2ID}, "", []string{"unmerge site2", "merge site into site2"}},
		"into itself":       {pipeline.KindWebsite, markInput{Action: pipeline.MarkMerge, IDs: []string{siteID}, Into: siteID}, pipeline.CodeInvalid, nil},
		"into what is gone": {pipeline.KindWebsite, markInput{Action: pipeline.MarkMerge, IDs: []string{siteID}, Into: hostID}, pipeline.CodeNotFound, nil},
		"a merged host":     {pipeline.KindHost, markInput{Action: pipeline.MarkMerge, IDs: []string{hostID}, Into: siteID}, pipeline.CodeInvalid, nil},
		"unknown action":    {pipeline.KindHost, markInput{Action: "hide", IDs: []string{hostID}}, pipeline.CodeInvalid, nil},
		"no tag":            {pipeline.KindHost, markInput{Action: pipeline.MarkTag, IDs: []string{hostID}}, pipeline.CodeInvalid, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var p produced
			a := &API{Deps: Deps{Store: markStore{}, Producer: &p, Progress: arrived{}}, now: time.Now}
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			targets, err := a.targets(r.Context(), project, tc.kind, &tc.in, func(q pipeline.Query) (keys []string, next string, err error) {
				page, err := a.Store.Hosts(r.Context(), q)
				for _, x := range page.Items {
					keys = append(keys, x.CorrelationKey)
				}
				return keys, page.Next, err
			})
			w := httptest.NewRecorder()
			if err == nil {
				err = a.mark(w, r, project, &tc.in, targets)
			}
			if pipeline.CodeOf(err) != tc.code {
				t.Fatalf("got %v, want %q", err, tc.code)
			}
			if err == nil && w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
			if diff := cmp.Diff(tc.want, said(t, p.recs)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// said puts marks into words.
func said(t *testing.T, recs []bus.Record) (out []string) {
	t.Helper()
	if len(recs) > 2 {
		return []string{fmt.Sprint("block ", len(recs))}
	}
	short := strings.NewReplacer("project:"+project+";host:192.0.2.1;port:80;protocol:tcp;domain:;path:/", "site", "project:"+project+";host:192.0.2.1;port:81;protocol:tcp;domain:;path:/", "site2")
	for _, r := range recs {
		m, err := record.Decode[pipeline.Mark](r.Value)
		if err != nil || string(r.Key) != m.Key() || r.Topic != bus.TopicMarks {
			t.Errorf("the record %q on %s: %v", r.Key, r.Topic, err)
		}
		s := string(m.Action) + " " + m.Target
		if m.Into != "" {
			s += " into " + m.Into
		}
		if m.Tag != "" {
			s += " " + m.Tag
		}
		out = append(out, short.Replace(s))
	}
	return out
}
