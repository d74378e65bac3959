package rule_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/matchers/rule"
)

var update = flag.Bool("update", false, "write the files that are generated")

// The checked-in schema is the generated one, and knows the keys that Parse knows.
func TestSchema(t *testing.T) {
	const file = "subscription.schema.json"
	if *update {
		if err := os.WriteFile(file, rule.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(file)
	if err != nil || string(stored) != string(rule.Schema()) {
		t.Errorf("%s is not what is generated (%v): go test ./matchers/rule -run TestSchema -update", file, err)
	}
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(stored, &schema); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, trigger := range []rule.Trigger{rule.Event, rule.Cron, rule.Reconcile} {
		keys = append(keys, rule.KeysOf(trigger)...)
	}
	slices.Sort(keys)
	if d := cmp.Diff(slices.Sorted(maps.Keys(schema.Properties)), slices.Compact(keys)); d != "" {
		t.Errorf("keys (-schema +Parse):\n%s", d)
	}
}
