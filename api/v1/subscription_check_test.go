package v1

import "testing"

func TestADocumentIsCheckedWithoutBeingSaved(t *testing.T) {
	c := newWorld(t, shelf{}).operator()
	c.must("POST", "/jobs", hello, nil, "Content-Type", "application/yaml")
	check := func(document string) (got subscriptionCheck) {
		t.Helper()
		c.must("POST", "/subscriptions/check", map[string]any{"document": document}, &got)
		return got
	}
	good := "name: S\nfindings: [PortFinding]\ncooldown: 1\njob: {name: Hello}\n"
	if got := check(good); len(got.Problems) != 0 || got.Job != "Hello" || got.Trigger != "event" || len(got.Findings) != 1 {
		t.Errorf("a good one: %+v", got)
	}
	got := check("name: S\nfindings: [PortFinding]\ncooldown: soon\ncolour: red\njob: {name: Hello}\n")
	if len(got.Problems) != 2 || got.Problems[0].Line != 3 || got.Problems[1].Line != 4 {
		t.Errorf("two problems: %+v", got.Problems)
	}
	if got := check("name: S\nfindings: [PortFinding]\ncooldown: 1\njob: {name: Nowhere}\n"); len(got.Problems) != 1 {
		t.Errorf("a job that does not exist: %+v", got.Problems)
	}
	if got := check("{"); len(got.Problems) == 0 {
		t.Error("no YAML, and no problem")
	}
	var list struct {
		Items []subscriptionView `json:"items"`
	}
	if c.must("GET", "/subscriptions", nil, &list); len(list.Items) != 0 {
		t.Errorf("saved: %+v", list.Items)
	}
}
