package v1

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Limits on how many resources one request marks.
const (
	MaxMarked   = 10_000  // by their ids
	MaxSelected = 100_000 // by what a list shows
)

// markInput says what a person decided, and about which resources: those with the
// ids, or those a list shows.
type markInput struct {
	Action  pipeline.MarkAction `json:"action"`
	IDs     []string            `json:"ids"`
	Select  *selection          `json:"select"`
	Tag     string              `json:"tag"`
	Text    string              `json:"text"`
	Into    string              `json:"into"` // id of a website
	Cascade bool                `json:"cascade"`
}

// selection is a list's question.
type selection struct {
	Text string `json:"q"`
}

// markOutput is the answer; Visible says whether the next read shows it.
type markOutput struct {
	Marked  int  `json:"marked"`
	Visible bool `json:"visible"`
}

// marks adds the route by which one kind of resource is marked. noun is the kind as
// scopes name it.
func marks[T any](a *API, r chi.Router, noun string, kind pipeline.Kind,
	all func(context.Context, pipeline.Query) (pipeline.Page[T], error), key func(*T) string,
) {
	r.Post("/"+noun+"/marks", func(w http.ResponseWriter, r *http.Request) {
		p, err := a.project(r)
		var in markInput
		if err == nil {
			err = decode(w, r, &in)
		}
		if err == nil && in.Action == pipeline.MarkDelete && !caller(r).May("resources:"+noun+":delete", p.ID) {
			err = pipeline.Errorf(pipeline.CodeForbidden, "this takes the scope resources:%s:delete in the project", noun)
		}
		var targets []string
		if err == nil {
			targets, err = a.targets(r.Context(), p.ID, kind, &in, func(q pipeline.Query) (keys []string, next string, err error) {
				page, err := all(r.Context(), q)
				for i := range page.Items {
					keys = append(keys, key(&page.Items[i]))
				}
				return keys, page.Next, err
			})
		}
		if err == nil {
			err = a.mark(w, r, p.ID, &in, targets)
		}
		if err != nil {
			a.fail(w, err)
		}
	})
}

// targets are the correlation keys of what is to be marked.
func (a *API) targets(ctx context.Context, project string, kind pipeline.Kind, in *markInput, list func(pipeline.Query) ([]string, string, error)) ([]string, error) {
	switch {
	case (in.Select == nil) == (len(in.IDs) == 0):
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "name the resources by ids, or by select, and not by both")
	case in.Select == nil:
		return a.keys(ctx, project, kind, in.IDs)
	}
	var out []string
	q := pipeline.Query{ProjectID: project, Text: in.Select.Text, Limit: MaxLimit}
	for {
		keys, next, err := list(q)
		if err != nil {
			return nil, err
		}
		out = append(out, keys...)
		if len(out) > MaxSelected {
			return nil, pipeline.Errorf(pipeline.CodeTooLarge, "more than %d resources are selected; select fewer at a time", MaxSelected)
		}
		if q.Cursor = next; next == "" {
			return out, nil
		}
	}
}

// keys looks the ids up; one that is unknown is an error, and nothing is marked.
func (a *API) keys(ctx context.Context, project string, kind pipeline.Kind, ids []string) ([]string, error) {
	if len(ids) > MaxMarked {
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "ids: %d of them, at most %d are taken at once", len(ids), MaxMarked)
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, x := range ids {
		if err := id("ids", x); err != nil {
			return nil, err
		}
	}
	found, err := a.Store.Keys(ctx, project, kind, ids)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(ids))
	for i, x := range ids {
		key, ok := found[x]
		if !ok {
			return nil, pipeline.Errorf(pipeline.CodeNotFound, "the project has no %s with the id %s", kind, x)
		}
		out[i] = key
	}
	return out, nil
}

// mark writes the decisions and answers once the projector has passed them.
func (a *API) mark(w http.ResponseWriter, r *http.Request, project string, in *markInput, targets []string) error {
	m := pipeline.Mark{
		ProjectID: project, At: a.now().UTC(), UserID: user(r).ID, Action: in.Action, Tag: in.Tag, Text: in.Text, Cascade: in.Cascade,
	}
	var recs []bus.Record
	if in.Action == pipeline.MarkMerge {
		into, err := a.keys(r.Context(), project, pipeline.KindWebsite, []string{in.Into})
		if err != nil {
			return err
		}
		m.Into = into[0]
		// what others are merged into is merged into nothing
		first := m
		first.Action, first.Target, first.Into = pipeline.MarkUnmerge, m.Into, ""
		if recs, err = marked(recs, first); err != nil {
			return err
		}
	}
	for _, m.Target = range targets {
		var err error
		if recs, err = marked(recs, m); err != nil {
			return err
		}
	}
	out := markOutput{Marked: len(targets), Visible: true}
	if len(recs) > 0 {
		if err := a.Producer.Produce(r.Context(), recs); err != nil {
			return err
		}
		out.Visible = a.visible(r.Context(), recs)
	}
	status := http.StatusOK
	if !out.Visible {
		status = http.StatusAccepted
	}
	reply(w, status, out)
	return nil
}

func marked(recs []bus.Record, m pipeline.Mark) ([]bus.Record, error) {
	if _, err := m.Check(); err != nil {
		return nil, err
	}
	v, err := record.Encode(m)
	return append(recs, bus.Record{Topic: bus.TopicMarks, Key: []byte(m.Key()), Value: v, Time: m.At}), err
}
