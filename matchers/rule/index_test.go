package rule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// world makes rules and findings from few values, so that many meet.
type world struct{ *rand.Rand }

func pick[T any](w world, list ...T) T { return list[w.IntN(len(list))] }

func (w world) variable() string {
	return pick(w, "ip", "port", "domainName", "protocol", "ssl", "tag", "title", "code", "Title", "absent")
}

func (w world) literal() string {
	return pick(w, `""`, `" "`, "0", "1", "443", `"443"`, "true", "false", `"a"`, `"Jenkins"`, `"jenkins [Ci]"`, `"example.com"`, `"shop.Example.com"`, `"tcp"`, `"192.0.2.1"`, `"ſK"`, `"sK"`, `"1e0"`, "1.0")
}

func (w world) list(of func() string) string {
	parts := make([]string, 1+w.IntN(3))
	for i := range parts {
		parts[i] = of()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (w world) condition(depth int) string {
	if depth > 0 && w.IntN(4) == 0 {
		return "{" + pick(w, "and", "or") + ": " + w.list(func() string { return w.condition(depth - 1) }) + "}"
	}
	left := `"${` + w.variable() + `}"`
	op := pick(w, "equals", "startsWith", "endsWith", "contains", "in", "gt", "lte", "exists", "matches", "inCidr", "subdomainOf", "between")
	right := w.list(w.literal)
	if w.IntN(2) == 0 {
		right = w.literal()
	}
	switch op {
	case "exists":
		return "{lhs: " + left + ", operator: " + pick(w, "", "not_", "or_") + op + pick(w, "", ", rhs: true", ", rhs: false") + "}"
	case "matches":
		op, right = op+pick(w, "", "_i"), pick(w, `"enk"`, `"^J(en)+kins"`, `["443", "ins [cC]"]`, `"(?i)SK"`, `"a|b"`, `".*"`)
	case "inCidr":
		right = pick(w, `"192.0.2.0/24"`, `["10.0.0.0/8", "192.0.2.1"]`, `"0.0.0.0/0"`, `"2001:db8::/32"`)
	case "subdomainOf":
		right = pick(w, `"example.com"`, `["com", "org"]`, `"shop.example.com."`)
	case "between":
		right = pick(w, "[0, 1]", "[[1, 2], [400, 500]]")
	case "equals", "startsWith", "endsWith", "contains", "in":
		op += pick(w, "", "_i")
	}
	return "{lhs: " + left + ", operator: " + pick(w, "", "", "", "or_", "not_") + op + ", rhs: " + right + "}"
}

func (w world) subscription(i int) pipeline.Subscription {
	key := func() string {
		return `"` + pick(w, "PortFinding", "Port*", "*", "WebsiteFinding", "*s*Finding", "*Finding") + `"`
	}
	doc := fmt.Sprintf("name: n\nfindings: %s\ncooldown: 0\njob: {name: J}\nconditions: %s\n", w.list(key), w.list(func() string { return w.condition(2) }))
	if w.IntN(8) == 0 {
		doc = strings.Split(doc, "conditions")[0]
	}
	return pipeline.Subscription{ID: fmt.Sprintf("%06d", i), Enabled: w.IntN(10) > 0, ProjectID: pick(w, "", "", "p", "q"), Document: doc, Version: 1}
}

func (w world) finding() *pipeline.Finding {
	yes := w.IntN(2) == 0
	f := &pipeline.Finding{
		Key: pick(w, "PortFinding", "WebsiteFinding", "Other"), ProjectID: pick(w, "p", "q", "r"), Tag: pick(w, "", "a", "443"),
		Locators: pipeline.Locators{
			IP: pick(w, "", "192.0.2.1", "10.1.1.1", "2001:db8::1", "::ffff:192.0.2.1"), Port: pick(w, 0, 1, 443), Protocol: pick(w, pipeline.TCP, ""),
			Domain: pick(w, "", "example.com", "Shop.Example.com.", "evil-example.com", "x.org"),
		},
	}
	if w.IntN(2) == 0 {
		f.SSL = &yes
	}
	for range w.IntN(4) {
		f.Fields = append(f.Fields, pipeline.Field{
			Key:  pick(w, "title", "TITLE", "code", "port", "other"),
			Data: pick[any](w, "", "Jenkins [ci]", "ſK", "jenkins", "1", int64(443), 1.0, true, false, int64(0), "192.0.2.77", []any{"a", int64(1)}, "a\u212Ab", " 443 "),
		})
	}
	return f
}

// However rules are indexed, a finding meets every rule that matches it, once, and
// no rule of another project or another key; also after changes.
func TestTheIndexMissesNothing(t *testing.T) {
	for seed := range uint64(8) {
		w := world{rand.New(rand.NewPCG(seed, 7))}
		subs := make([]pipeline.Subscription, 150)
		for i := range subs {
			subs[i] = w.subscription(i)
		}
		job := func(string) bool { return true }
		set := rule.NewSet(subs, job)
		for range 5 {
			for _, b := range set.Broken() {
				if !strings.Contains(b.Problems.Error(), "rhs") {
					t.Fatalf("%v", b)
				}
			}
			meets(t, w, set, subs)
			i := w.IntN(len(subs) - 2)
			id := subs[i].ID
			subs[i] = w.subscription(i)
			subs[i].ID, subs[i].Version = id, int64(2+i)
			subs = slices.Delete(subs, i+1, i+2)
			set = set.Update(subs, job)
		}
	}
}

func meets(t *testing.T, w world, set *rule.Set, subs []pipeline.Subscription) {
	t.Helper()
	fresh := rule.NewSet(subs, func(string) bool { return true })
	if fresh.Len() != set.Len() {
		t.Fatalf("%d rules after changes, %d made at once", set.Len(), fresh.Len())
	}
	for range 120 {
		f := w.finding()
		var got, want []string
		for _, r := range set.Candidates(f, nil) {
			got = append(got, r.ID)
		}
		for _, s := range subs {
			r, ok := set.Rule(s.ID)
			mine := ok && r.Enabled && r.Reacts(f.Key) && (r.ProjectID == "" || r.ProjectID == f.ProjectID)
			if mine && r.Holds(f) {
				want = append(want, s.ID)
			}
			if slices.Contains(got, s.ID) && !mine {
				t.Fatalf("%+v meets %s, which is not about it", f, s.Document)
			}
		}
		if len(slices.Compact(slices.Clone(got))) != len(got) || !slices.IsSorted(got) {
			t.Fatalf("candidates are not in order, each once: %v", got)
		}
		for _, id := range want {
			if !slices.Contains(got, id) {
				r, _ := set.Rule(id)
				t.Fatalf("%+v misses\n%s", f, rule.Format(r.Document()))
			}
		}
	}
}

func TestGlob(t *testing.T) {
	for _, tc := range []struct {
		pattern, s string
		want       bool
	}{
		{"a", "a", true},
		{"a", "A", false},
		{"a", "ab", false},
		{"*", "", true},
		{"*", "x", true},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"a*c", "abc", true},
		{"a*c", "ac", true},
		{"a*bc*d", "aXbcYd", true},
		{"a*b*b", "ab", false},
		{"a**b", "ab", true},
		{"*b*", "abc", true},
		{"a*a", "a", false},
	} {
		if got := rule.Glob(tc.pattern, tc.s); got != tc.want {
			t.Errorf("Glob(%q, %q) = %v", tc.pattern, tc.s, got)
		}
	}
}
