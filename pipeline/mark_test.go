package pipeline_test

import (
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

const (
	host = "project:p;host:192.0.2.1"
	site = host + ";port:443;protocol:tcp;domain:a.example;path:/"
	bare = host + ";port:443;protocol:tcp;domain:;path:/"
)

func TestMarkCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		mark pipeline.Mark
		code pipeline.Code
		want string
	}{
		"a tag":             {mark: pipeline.Mark{Action: pipeline.MarkTag, Target: host, Tag: "Critical"}},
		"a block":           {mark: pipeline.Mark{Action: pipeline.MarkBlock, Target: host, Cascade: true}},
		"a note removed":    {mark: pipeline.Mark{Action: pipeline.MarkNote, Target: host}},
		"a merge":           {mark: pipeline.Mark{Action: pipeline.MarkMerge, Target: site, Into: bare}},
		"no tag":            {pipeline.Mark{Action: pipeline.MarkTag, Target: host}, pipeline.CodeInvalid, "tag has 0 bytes"},
		"a long tag":        {pipeline.Mark{Action: pipeline.MarkTag, Target: host, Tag: strings.Repeat("x", 65)}, pipeline.CodeInvalid, "tag has 65 bytes"},
		"no text":           {pipeline.Mark{Action: pipeline.MarkNote, Target: host, Text: "\xff"}, pipeline.CodeInvalid, "note is no valid text"},
		"another project":   {pipeline.Mark{Action: pipeline.MarkBlock, Target: "project:q;host:192.0.2.1"}, pipeline.CodeForbidden, "of another project"},
		"a project":         {pipeline.Mark{Action: pipeline.MarkBlock, Target: "project:p"}, pipeline.CodeInvalid, "not about a project"},
		"no key":            {pipeline.Mark{Action: pipeline.MarkBlock, Target: "host"}, pipeline.CodeInvalid, "no correlation key"},
		"an unknown action": {pipeline.Mark{Action: "hide", Target: host}, pipeline.CodeInvalid, `action "hide" is none of`},
		"a merged host":     {pipeline.Mark{Action: pipeline.MarkMerge, Target: host, Into: site}, pipeline.CodeInvalid, "only websites are merged"},
		"into a host":       {pipeline.Mark{Action: pipeline.MarkMerge, Target: site, Into: host}, pipeline.CodeInvalid, "merged into a website"},
		"into itself":       {pipeline.Mark{Action: pipeline.MarkMerge, Target: site, Into: site}, pipeline.CodeInvalid, "into itself"},
		"into another's":    {pipeline.Mark{Action: pipeline.MarkMerge, Target: site, Into: strings.Replace(bare, ":p;", ":q;", 1)}, pipeline.CodeForbidden, "of another project"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.mark.ProjectID = "p"
			_, err := tc.mark.Check()
			if pipeline.CodeOf(err) != tc.code || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s %q", err, tc.code, tc.want)
			}
		})
	}
}

// What is decided again, or the other way, is kept under the same key.
func TestMarkKey(t *testing.T) {
	key := func(a pipeline.MarkAction, tag string) string {
		m := pipeline.Mark{Action: a, Target: host, Tag: tag}
		return m.Key()
	}
	for _, same := range [][2]string{
		{key(pipeline.MarkBlock, ""), key(pipeline.MarkUnblock, "")},
		{key(pipeline.MarkTag, "a"), key(pipeline.MarkUntag, "a")},
		{key(pipeline.MarkMerge, ""), key(pipeline.MarkUnmerge, "")},
	} {
		if same[0] != same[1] {
			t.Errorf("%q and %q differ", same[0], same[1])
		}
	}
	seen := map[string]pipeline.MarkAction{}
	for _, a := range []pipeline.MarkAction{pipeline.MarkTag, pipeline.MarkBlock, pipeline.MarkDelete, pipeline.MarkMerge, pipeline.MarkNote, pipeline.MarkOwner} {
		if was, ok := seen[key(a, "")]; ok {
			t.Errorf("%s and %s have the same key", was, a)
		}
		seen[key(a, "")] = a
	}
}
