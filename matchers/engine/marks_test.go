package engine

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

const (
	markHost   = "project:p;host:192.0.2.1"
	markPort   = markHost + ";port:443;protocol:tcp"
	markSite   = markPort + ";domain:a.example;path:/"
	markBare   = markPort + ";domain:;path:/"
	markDomain = "project:p;domain:a.example"
	markRange  = "project:p;host:192.0.2.0;mask:24"
)

func about(t *testing.T, key string) *pipeline.Finding {
	t.Helper()
	r, err := pipeline.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &pipeline.Finding{ProjectID: r.ProjectID, Type: pipeline.CustomFinding, Key: "K", CorrelationKey: key, Locators: r.Locators}
}

// What decisions keep away, in whatever order they are read, and however often.
func TestMarksJudge(t *testing.T) {
	type ms = []pipeline.Mark
	link := about(t, markHost)
	link.Type, link.Domain = pipeline.HostnameIPFinding, "a.example"
	for name, tc := range map[string]struct {
		marks ms
		f     *pipeline.Finding
		want  Reason
	}{
		"nothing":                             {nil, about(t, markHost), ""},
		"blocked":                             {ms{{Action: pipeline.MarkBlock, Target: markHost}}, about(t, markHost), Blocked},
		"unblocked":                           {ms{{Action: pipeline.MarkBlock, Target: markHost}, {Action: pipeline.MarkUnblock, Target: markHost}}, about(t, markHost), ""},
		"blocked again":                       {ms{{Action: pipeline.MarkUnblock, Target: markHost}, {Action: pipeline.MarkBlock, Target: markHost}}, about(t, markHost), Blocked},
		"a host alone leaves its ports":       {ms{{Action: pipeline.MarkBlock, Target: markHost}}, about(t, markPort), ""},
		"a host with what is below":           {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}}, about(t, markPort), Blocked},
		"and its websites":                    {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}}, about(t, markBare), Blocked},
		"but no other host":                   {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}}, about(t, "project:p;host:192.0.2.10"), ""},
		"nor that of another project":         {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}}, about(t, "project:q;host:192.0.2.1"), ""},
		"a port with its websites":            {ms{{Action: pipeline.MarkBlock, Target: markPort, Cascade: true}}, about(t, markSite), Blocked},
		"a domain with its websites":          {ms{{Action: pipeline.MarkBlock, Target: markDomain, Cascade: true}}, about(t, markSite), Blocked},
		"not those of the address":            {ms{{Action: pipeline.MarkBlock, Target: markDomain, Cascade: true}}, about(t, markBare), ""},
		"a link to a blocked domain":          {ms{{Action: pipeline.MarkBlock, Target: markDomain}}, link, Blocked}, // the reference looks at the host only
		"a range with what is below":          {ms{{Action: pipeline.MarkBlock, Target: markRange, Cascade: true}}, about(t, markPort), Blocked},
		"a range alone":                       {ms{{Action: pipeline.MarkBlock, Target: markRange}}, about(t, markPort), ""},
		"the range itself":                    {ms{{Action: pipeline.MarkBlock, Target: markRange}}, about(t, markRange), Blocked}, // the reference forgets it
		"an exception made later":             {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}, {Action: pipeline.MarkUnblock, Target: markPort}}, about(t, markPort), ""},
		"a block made after the exception":    {ms{{Action: pipeline.MarkUnblock, Target: markPort}, {Action: pipeline.MarkBlock, Target: markHost, Cascade: true}}, about(t, markPort), Blocked},
		"the end of all blocks below":         {ms{{Action: pipeline.MarkBlock, Target: markPort}, {Action: pipeline.MarkUnblock, Target: markHost, Cascade: true}}, about(t, markPort), ""},
		"the end for the host alone":          {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}, {Action: pipeline.MarkUnblock, Target: markHost}}, about(t, markPort), Blocked},
		"merged":                              {ms{{Action: pipeline.MarkMerge, Target: markSite, Into: markBare}}, about(t, markSite), Merged},
		"merged into":                         {ms{{Action: pipeline.MarkMerge, Target: markSite, Into: markBare}}, about(t, markBare), ""},
		"unmerged":                            {ms{{Action: pipeline.MarkMerge, Target: markSite, Into: markBare}, {Action: pipeline.MarkUnmerge, Target: markSite}}, about(t, markSite), ""},
		"deleted":                             {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}, {Action: pipeline.MarkDelete, Target: markHost}}, about(t, markPort), ""},
		"deleted with its host":               {ms{{Action: pipeline.MarkBlock, Target: markPort}, {Action: pipeline.MarkDelete, Target: markHost}}, about(t, markPort), ""},
		"deleted before":                      {ms{{Action: pipeline.MarkDelete, Target: markHost}, {Action: pipeline.MarkBlock, Target: markPort}}, about(t, markPort), Blocked},
		"a port when a domain is deleted":     {ms{{Action: pipeline.MarkBlock, Target: markPort, Cascade: true}, {Action: pipeline.MarkDelete, Target: markDomain}}, about(t, markSite), Blocked},
		"a website when its domain is":        {ms{{Action: pipeline.MarkBlock, Target: markSite}, {Action: pipeline.MarkDelete, Target: markDomain}}, about(t, markSite), ""},
		"a deleted port of a blocked host":    {ms{{Action: pipeline.MarkBlock, Target: markHost, Cascade: true}, {Action: pipeline.MarkDelete, Target: markPort}}, about(t, markPort), Blocked},
		"tags and notes keep nothing away":    {ms{{Action: pipeline.MarkTag, Target: markHost, Tag: "x"}, {Action: pipeline.MarkNote, Target: markHost, Text: "x"}}, about(t, markHost), ""},
		"what is not understood is passed by": {ms{{Action: "odd", Target: markHost}}, about(t, markHost), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var recs []bus.Record
			for i, m := range tc.marks {
				m.ProjectID, m.At = "p", time.UnixMilli(1_700_000_000_000+int64(i))
				v, err := record.Encode(m)
				if err != nil {
					t.Fatal(err)
				}
				recs = append(recs, bus.Record{Topic: bus.TopicMarks, Key: []byte(m.Key()), Value: v, Offset: int64(i)})
			}
			for range 4 {
				m := &Marks{log: slog.New(slog.DiscardHandler), projects: map[string]*decisions{}}
				for _, r := range slices.Concat(recs, recs) {
					if err := m.apply(r); err != nil {
						t.Fatal(err)
					}
				}
				if got, by := m.judge(tc.f); got != tc.want {
					t.Fatalf("got %q by %q, want %q", got, by, tc.want)
				}
				rand.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
			}
		})
	}
}
