package notify

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// pageSize is how many changes or findings are read at once, and few enough that
// their ids fit into a filter.
const pageSize = 400

// page returns what a notification tells of the next part of a window, and the cursor
// of the part after it.
func (e *Engine) page(ctx context.Context, n *pipeline.Notification, project, name string, st State) ([]Event, string, error) {
	if n.Source == pipeline.NotifyFindings {
		return e.findings(ctx, n, project, name, st)
	}
	cursor := st.Cursors[project]
	page, err := e.History.Changes(ctx, pipeline.ChangeQuery{ProjectID: project, Since: st.Since, Until: st.Until, Limit: pageSize, Cursor: cursor})
	if err != nil {
		return nil, "", err
	}
	next := page.Next
	if next == cursor {
		next = told
	}
	changes, err := e.chosen(ctx, n, project, page.Items)
	events := make([]Event, len(changes))
	for i := range changes {
		events[i] = Event{Change: &changes[i]}
	}
	return events, next, err
}

func (e *Engine) findings(ctx context.Context, n *pipeline.Notification, project, _ string, st State) ([]Event, string, error) {
	text := "at:" + instant(st.Since.Add(time.Millisecond)) + ".." + instant(st.Until)
	if n.Query != "" {
		text = "(" + n.Query + ") " + text
	}
	page, err := e.History.Findings(ctx, pipeline.FindingQuery{ProjectID: project, Text: text, Sort: "at", Limit: pageSize, Cursor: st.Cursors[project]})
	if err != nil {
		return nil, "", err
	}
	events := make([]Event, len(page.Items))
	for i := range page.Items {
		f := &page.Items[i]
		f.Fields = slices.DeleteFunc(f.Fields, func(x pipeline.Field) bool { return x.Type == pipeline.ImageField }) // too large to be told
		events[i] = Event{Finding: f}
	}
	if page.Next == "" {
		page.Next = told
	}
	return events, page.Next, nil
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// chosen are the changes that a notification is about.
func (e *Engine) chosen(ctx context.Context, n *pipeline.Notification, project string, all []pipeline.Change) ([]pipeline.Change, error) {
	all = slices.DeleteFunc(all, func(c pipeline.Change) bool {
		return n.Kind != "" && c.Kind != n.Kind || len(n.What) > 0 && !slices.Contains(n.What, c.What)
	})
	if n.Query == "" || len(all) == 0 {
		return all, nil
	}
	var ids []string
	for i := range all {
		ids = append(ids, all[i].ResourceID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	fit, err := e.fitting(ctx, n.Kind, pipeline.Query{ProjectID: project, Text: "(" + n.Query + ") id:any(" + strings.Join(ids, ",") + ")", Limit: len(ids)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c pipeline.Change) bool { return !fit[c.ResourceID] }), nil
}

// fitting returns which resources a list shows, as they are by now.
func (e *Engine) fitting(ctx context.Context, kind pipeline.Kind, q pipeline.Query) (map[string]bool, error) {
	switch kind {
	case pipeline.KindDomain:
		return collect(ctx, q, e.History.Domains, func(x *pipeline.Domain) string { return x.ID })
	case pipeline.KindHost:
		return collect(ctx, q, e.History.Hosts, func(x *pipeline.Host) string { return x.ID })
	case pipeline.KindRange:
		return collect(ctx, q, e.History.Ranges, func(x *pipeline.IPRange) string { return x.ID })
	case pipeline.KindPort:
		return collect(ctx, q, e.History.Ports, func(x *pipeline.Port) string { return x.ID })
	default:
		return collect(ctx, q, e.History.Websites, func(x *pipeline.Website) string { return x.ID })
	}
}

func collect[T any](ctx context.Context, q pipeline.Query, list func(context.Context, pipeline.Query) (pipeline.Page[T], error), id func(*T) string) (map[string]bool, error) {
	page, err := list(ctx, q)
	ids := map[string]bool{}
	for i := range page.Items {
		ids[id(&page.Items[i])] = true
	}
	return ids, err
}
