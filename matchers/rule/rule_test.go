package rule_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

const full = `
name: Detect login portals
triggerType: event
findings: [WebsitePathFinding]
cooldown: 86400
discriminator: ${endpoint}
job:
  name: LoginDetectionJob
  parameters:
    - name: targetIp
      value: ${ip}
    - {name: ports, value: [22, "${port}"]}
conditions:
  - lhs: ${endpoint}
    operator: not_endsWith_i
    rhs: [.css, .PNG]
  - or:
      - {lhs: "${endpoint}", operator: or_contains_i, rhs: [auth, login]}
      - {lhs: "${endpoint}", operator: endsWith, rhs: /}
`

func TestParseReadsADocument(t *testing.T) {
	want := &rule.Document{
		Name: "Detect login portals", Trigger: rule.Event, Findings: []string{"WebsitePathFinding"}, Cooldown: 24 * time.Hour,
		Discriminator: "${endpoint}", Job: "LoginDetectionJob",
		Parameters: []rule.Parameter{{Name: "targetIp", Value: "${ip}"}, {Name: "ports", Value: []any{int64(22), "${port}"}}},
		Conditions: []rule.Condition{
			{Left: "${endpoint}", Operator: "not_endsWith_i", Right: []any{".css", ".PNG"}},
			{Junction: "or", Any: []rule.Condition{
				{Left: "${endpoint}", Operator: "or_contains_i", Right: []any{"auth", "login"}},
				{Left: "${endpoint}", Operator: "endsWith", Right: "/"},
			}},
		},
	}
	got, err := rule.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("Parse() (-got +want):\n%s", d)
	}
	asJSON := `{"name":"n","findings":["K"],"cooldown":0,"job":{"name":"J"},"conditions":null,"discriminator":null}`
	if got, err := rule.Parse([]byte(asJSON)); err != nil || got.Job != "J" {
		t.Errorf("Parse(JSON) = %v, %v", got, err)
	}
	cron := "name: n\ntriggerType: cron\ncronExpression: '0 0 */7 * *'\ninput: ALL_DOMAINS\nbatch: {enabled: true, size: 100}\njob: {name: J}\n"
	if got, err := rule.Parse([]byte(cron)); err != nil || got.Input != "ALL_DOMAINS" || got.Batch.Size != 100 {
		t.Errorf("Parse(cron) = %v, %v", got, err)
	}
}

// head is a valid beginning; the problems follow it.
const head = "name: n\nfindings: [K]\ncooldown: 1\njob: {name: J}\n"

func TestParseReportsEveryProblemWithItsPlace(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", []string{"the document is empty"}},
		{"not yaml", "a: [", []string{"1:"}},
		{"a list", "- a", []string{"1:1: a mapping with name"}},
		{"two documents", "a: 1\n---\nb: 1", []string{"one document is expected"}},
		{"everything missing", "triggerType: event", []string{"name: is required", "job: is required", "findings: a list", "cooldown: is required"}},
		{"unknown keys", head + "cooldwn: 1\njobs: x\n", []string{"5:1: cooldwn: unknown key", "6:1: jobs: unknown key"}},
		{"old key", "name: n\nfinding: K\ncooldown: 1\njob: {name: J}\n", []string{"2:1: finding: write findings: [X]"}},
		{"negative cooldown", "name: n\nfindings: [K]\ncooldown: -1\njob: {name: J}\n", []string{"3:11: cooldown: a whole number of seconds"}},
		{"no findings", "name: n\nfindings: []\ncooldown: 1\njob: {name: J}\n", []string{"2:11: findings: the list is empty"}},
		{"trigger", "triggerType: sometimes\n", []string{"event, cron or reconcile is expected, not \"sometimes\""}},
		{"cron fields", "name: n\ntriggerType: cron\ncronExpression: '* *'\ninput: ALL\nbatch: {enabled: 1, size: 0}\njob: {name: J}\n", []string{"3:17: cronExpression: 5 or 6 fields", "4:8: input: \"ALL\" is none of", "batch.enabled: true or false", "batch.size: a whole number"}},
		{"operator", head + "conditions:\n- {lhs: 1, operator: like, rhs: 2}\n", []string{"6:22: conditions[0].operator: \"like\" is unknown; one of equals"}},
		{"half a comparison", head + "conditions:\n- {lhs: 1}\n- {and: 3}\n- x\n", []string{"conditions[0].operator: is required", "conditions[0].rhs: is required", "conditions[1].and: a list", "conditions[2]: {lhs, operator, rhs}"}},
		{"null operand", head + "conditions:\n- {lhs: null, operator: equals, rhs: {a: 1}}\n", []string{"conditions[0].lhs: text, a number", "conditions[0].rhs: text, a number"}},
		{"null value", "name: n\nfindings: [K]\ncooldown: 1\njob:\n  name: J\n  parameters:\n  - {name: a, value: null}\n  - {name: 1a, value: 2}\n  - {value: 2}\n", []string{"7:22: job.parameters[0].value: is required", "\"1a\" must begin with a letter", "job.parameters[2].name: is required"}},
		{"secrets", head + "discriminator: ${ secrets.x }\nconditions:\n- {lhs: ['${secrets.y}'], operator: equals, rhs: 1}\n", []string{"discriminator: secrets may stand in job parameters only", "conditions[0].lhs: secrets"}},
		{"alias", "name: &a n\nfindings: [*a]\ncooldown: 1\njob: {name: J}\n", []string{"1:7: anchors and aliases are not allowed"}},
		{"too many", head + "conditions:\n" + strings.Repeat("- {lhs: 1, operator: equals, rhs: 1}\n", 1001), []string{"more than 1000 conditions"}},
		{"too deep", head + "conditions:\n" + deep(40), []string{"nested deeper than 32"}},
		{"too large", strings.Repeat(" ", rule.MaxDocument+1), []string{"at most 262144"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := rule.Parse([]byte(tc.in))
			var problems rule.Problems
			if d != nil || !errors.As(err, &problems) || pipeline.CodeOf(err) != pipeline.CodeInvalid {
				t.Fatalf("Parse() = %v, %v", d, err)
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("Parse() =\n%v\nlacks %q", err, w)
				}
			}
		})
	}
}

func deep(n int) string {
	return "- " + strings.Repeat("{and: [", n) + strings.Repeat("]}", n) + "\n"
}

func compiled(t *testing.T, conditions string) *rule.Rule {
	t.Helper()
	d, err := rule.Parse([]byte(head + "conditions:\n" + conditions))
	if err != nil {
		t.Fatal(err)
	}
	return rule.Compile(d, pipeline.Subscription{ID: "s", Enabled: true})
}

var finding = &pipeline.Finding{
	Key: "K", ProjectID: "p", Locators: pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP},
	Fields: []pipeline.Field{{Key: "endpoint", Data: "/Login.php"}, {Key: "zero", Data: int64(0)}},
}

func TestComparisons(t *testing.T) {
	for _, tc := range []struct {
		l, op, r string
		want     bool
	}{
		{`"a"`, "equals", `"a"`, true},
		{`"a"`, "equals", `"A"`, false},
		{`"a"`, "equals_i", `"A"`, true},
		{"1", "equals_i", "1", false},
		{"1", "not_equals_i", "1", false},
		{"0", "equals", "false", true},
		{"1", "equals", "true", true},
		{`"1"`, "equals", "1", true},
		{`""`, "equals", "0", true},
		{`"true"`, "equals", "true", false},
		{`"x"`, "equals", "1", false},
		{`"x"`, "not_equals", "1", true},
		{`"inf"`, "equals", `"inf"`, true},
		{`"nan"`, "equals", "0", false},
		{"443", "gt", "80", true},
		{"443", "gt", "443", false},
		{"443", "gte", "443", true},
		{"1.5", "lt", "2", true},
		{"2", "lte", "2", true},
		{`"443"`, "gt", "80", false},
		{`"443"`, "not_gt", "80", false},
		{"443", "gt_i", "80", false},
		{`"/login"`, "startsWith", `"/"`, true},
		{`"/login"`, "endsWith", `"in"`, true},
		{`"/LOGIN"`, "contains_i", `"log"`, true},
		{"5", "contains", `"5"`, false},
		{"5", "not_contains", `"5"`, false},
		{`"a"`, "not_not_equals", `"a"`, true},
		{`"a"`, "not_equals", `"a"`, false},
		{`["a","b"]`, "equals", `"a"`, false},
		{`["a","b"]`, "or_equals", `"b"`, true},
		{`"a"`, "not_equals", `["b","c"]`, true},
		{`"a"`, "not_equals", `["a","c"]`, false},
		{`"a"`, "or_not_equals", `["a","c"]`, true},
		{`"a"`, "not_or_equals", `["a","c"]`, true},
		{`"a"`, "or_not_equals", `["a"]`, false},
		{`[]`, "equals", `"a"`, false},
		{`"a"`, "not_equals", `[]`, false},
		{`["a",1]`, "or_contains", `"z"`, false},
		{`["a",1]`, "or_contains", `"a"`, true},
		{`[1,"a"]`, "or_contains", `"a"`, false},
		{`[["a"]]`, "not_equals", `"b"`, false},
		{`"${port}"`, "equals", "443", true},
		{`"${port}"`, "gte", `"${port}"`, true},
		{`"${zero}"`, "equals", "0", true},
		{`"${zero}"`, "lt", "1", true},
		{`"${absent}"`, "equals", `""`, true},
		{`"${ip}:${port}"`, "equals", `"192.0.2.1:443"`, true},
		{`["${ip}", "x"]`, "or_startsWith", `"192."`, true},
		{`"${endpoint}"`, "not_endsWith_i", `[.css, .PHP]`, false},
	} {
		r := compiled(t, fmt.Sprintf("- {lhs: %s, operator: %s, rhs: %s}\n", tc.l, tc.op, tc.r))
		for range 2 { // evaluating changes nothing
			if got := r.Holds(finding); got != tc.want {
				t.Errorf("%s %s %s = %v", tc.l, tc.op, tc.r, got)
			}
		}
	}
}

func TestNesting(t *testing.T) {
	yes, no := "{lhs: 1, operator: equals, rhs: 1}", "{lhs: 1, operator: equals, rhs: 2}"
	for in, want := range map[string]bool{
		"[]": true, "[{and: []}]": true, "[{or: []}]": true,
		"[" + yes + ", {or: []}]": true, "[" + no + "]": false,
		"[{or: [" + no + ", {and: []}]}]": false, "[{or: [" + no + "," + yes + "]}]": true,
		"[{and: [" + yes + ", {or: [" + no + ", {and: [" + yes + "]}]}]}]": true,
		"[{and: [" + yes + ", {or: [" + no + "]}]}]":                       false,
	} {
		if got := compiled(t, "  "+in+"\n").Holds(finding); got != want {
			t.Errorf("%s = %v", in, got)
		}
	}
}

func TestCompiledRuleGivesArgumentsAndDiscriminator(t *testing.T) {
	d, err := rule.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	r := rule.Compile(d, pipeline.Subscription{ID: "s", Version: 3, ProjectID: "p"})
	args, err := r.Arguments(finding)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s=%s %s=%s", args[0].Name, args[0].Value, args[1].Name, args[1].Value)
	if want := `targetIp="192.0.2.1" ports=[22,443]`; got != want {
		t.Errorf("Arguments() = %s, want %s", got, want)
	}
	if r.Discriminator(finding) != "/Login.php" || !r.Holds(finding) || r.Enabled {
		t.Errorf("discriminator %q, holds %v", r.Discriminator(finding), r.Holds(finding))
	}
}

func TestSetIsolatesBrokenSubscriptions(t *testing.T) {
	sub := func(id, project, doc string) pipeline.Subscription {
		return pipeline.Subscription{ID: id, Name: id, ProjectID: project, Enabled: id != "off", Document: doc}
	}
	set := rule.NewSet([]pipeline.Subscription{
		sub("bad", "", "nonsense"),
		sub("all", "", head),
		sub("mine", "p", head),
		sub("twice", "p", strings.Replace(head, "[K]", "[K, K, L]", 1)),
		sub("other", "q", head),
		sub("off", "", head),
		sub("jobless", "", strings.Replace(head, "{name: J}", "{name: Gone}", 1)),
		sub("cron", "", "name: c\ntriggerType: cron\ncronExpression: '@daily'\njob: {name: J}\n"),
	}, func(name string) bool { return name == "J" })
	var ids []string
	for _, r := range set.Candidates(finding, nil) {
		ids = append(ids, r.ID)
	}
	if d := cmp.Diff(ids, []string{"all", "jobless", "mine", "twice"}); d != "" {
		t.Errorf("Candidates() (-got +want):\n%s", d)
	}
	var broken []string
	for _, b := range set.Broken() {
		broken = append(broken, b.SubscriptionID+": "+b.Problems[0].Path)
	}
	if d := cmp.Diff(broken, []string{"bad: ", "jobless: job.name"}); d != "" {
		t.Errorf("Broken() (-got +want):\n%s", d)
	}
	if got := set.Reacting(finding); len(got) != 5 || set.Len() != 7 || len(set.Scheduled()) != 1 {
		t.Errorf("%d react, %d rules, %d scheduled; want 5, 7 and 1", len(got), set.Len(), len(set.Scheduled()))
	}
}

func TestANonMatchingFindingAllocatesNothing(t *testing.T) {
	r := compiled(t, "- {lhs: '${endpoint}', operator: contains, rhs: nothing}\n- {lhs: '${port}', operator: equals, rhs: 80}\n")
	if n := testing.AllocsPerRun(100, func() { _ = r.Holds(finding) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
