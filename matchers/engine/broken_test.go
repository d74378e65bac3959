package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

// Subscriptions that were stored and cannot be read any more, whatever is wrong with
// them, stop none of the others, neither at the start nor when they come later.
func TestBrokenSubscriptionsStopNoOther(t *testing.T) {
	files, err := filepath.Glob("../rule/testdata/invalid/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("before", onPort)}}
	for i, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c.subs = append(c.subs, sub(fmt.Sprintf("broken%02d", i), string(text)))
	}
	c.subs = append(c.subs, sub("jobless", "name: n\nfindings: [PortFinding]\ncooldown: 0\njob: {name: Gone}\n"), sub("zafter", onPort))
	b, e := bustest.New(t), newEngine(t, c)
	stop := bustest.Run(t, "matcher", transactor(b, e).Run)
	put(t, b, find(t, openPort, "127.0.70.1", 22, "tcp"))
	settle(t, b)
	stop()

	// one that was right and has fired breaks, and another one is written
	c.subs = slices.Clone(c.subs)
	c.subs[0].Document, c.subs[0].Version = "name: [", 2
	c.subs = append(c.subs, sub("znew", onPort))
	stop = bustest.Run(t, "matcher", transactor(b, e).Run)
	put(t, b, find(t, openPort, "127.0.70.1", 23, "tcp"))
	settle(t, b)
	stop()
	want := []string{
		"Banner host:127.0.70.1;port:22;protocol:tcp before", "Banner host:127.0.70.1;port:22;protocol:tcp zafter",
		"Banner host:127.0.70.1;port:23;protocol:tcp zafter", "Banner host:127.0.70.1;port:23;protocol:tcp znew",
	}
	if d := cmp.Diff(requests(t, b), want); d != "" {
		t.Errorf("requests (-got +want):\n%s", d)
	}
	broken := map[string]bool{}
	for _, x := range e.Broken() {
		if broken[x.SubscriptionID] = true; len(x.Problems) == 0 || x.SubscriptionID != "jobless" && x.Problems[0].Line == 0 {
			t.Errorf("%s: %v", x.SubscriptionID, x.Problems)
		}
	}
	if len(broken) != len(files)+2 || !broken["before"] || !broken["jobless"] {
		t.Errorf("%d are broken, want %d", len(broken), len(files)+2)
	}
}
