package rule_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// law is how a rule of RULES.md is tested: by conditions that hold and some that do
// not, for the finding below, or by tests of their own.
type law struct {
	holds, fails []string
	tests        string // package.Name …
}

var laws = map[string]law{
	"D1": {tests: "rule.TestValidDocumentsSurviveFormat rule.TestInvalidDocuments rule.TestTheFormOfTheReferenceIsRead"},
	"D2": {tests: "rule.TestGlob rule.TestTheIndexMissesNothing rule.TestExamplesOfTheDocs"},
	"D3": {tests: "rule.TestInvalidDocuments rule.TestParseReportsEveryProblemWithItsPlace"},
	"D4": {tests: "rule.TestInvalidDocuments rule.TestParseReportsEveryProblemWithItsPlace v1.TestBadDocumentsAreRefusedWithEveryProblem main.TestRuleCheckReportsEveryProblemOfEveryBadDocument"},
	"D5": {tests: "rule.TestDocumentsOfAnySize rule.TestInvalidDocuments rule.TestALargeRuleIsRefusedQuickly"},
	"D6": {tests: "rule.TestInvalidDocuments"},
	"D7": {tests: "rule.TestInvalidDocuments rule.TestAByteOrderMarkIsPassedOver"},
	"D8": {tests: "rule.TestValidDocumentsSurviveFormat rule.TestFormattedRulesDoTheSame rule.FuzzParse"},
	"D9": {tests: "rule.TestDocumentsThatNeverHold rule.TestCheckRefusesWhatCanNeverHold v1.TestBadDocumentsAreRefusedWithEveryProblem"},

	"V1": {
		holds: []string{`{lhs: " ${ PORT } ", operator: gt, rhs: 80}`, `{lhs: "${ssl}", operator: equals, rhs: true}`},
		fails: []string{`{lhs: "${port}", operator: contains, rhs: "4"}`}, tests: "vars.TestExpand",
	},
	"V2": {holds: []string{`{lhs: "${finding.port}", operator: gt, rhs: 80}`}, fails: []string{`{lhs: "${finding.port}", operator: lt, rhs: 80}`}, tests: "vars.TestExpand"},
	"V3": {holds: []string{`{lhs: "${ip}:${port}", operator: equals, rhs: "192.0.2.1:443"}`}, fails: []string{`{lhs: "${ip}:${port}", operator: gt, rhs: 1}`}, tests: "vars.TestExpand"},
	"V4": {holds: []string{`{lhs: "$${ip}", operator: startsWith, rhs: "$"}`}, fails: []string{`{lhs: "$${ip}", operator: equals, rhs: "192.0.2.1"}`}, tests: "vars.TestExpand vars.TestLiteral"},
	"V5": {tests: "vars.TestExpand rule.TestInvalidDocuments"},
	"V6": {holds: []string{`{lhs: "${IP}", operator: equals, rhs: "192.0.2.1"}`, `{lhs: "${ENDpoint}", operator: exists}`}, fails: []string{`{lhs: "${i p}", operator: equals, rhs: "192.0.2.1"}`}},
	"V7": {holds: []string{`{lhs: "${domainName}", operator: equals, rhs: "Shop.example.com"}`, `{lhs: "${endpoint}", operator: equals, rhs: "/Login"}`}, fails: []string{`{lhs: "${domainName}", operator: equals, rhs: "shadowed"}`}, tests: "vars.TestExpand"},
	"V8": {holds: []string{`{lhs: "${absent}", operator: equals, rhs: ""}`}, fails: []string{`{lhs: "${absent}", operator: not_equals, rhs: ""}`}, tests: "vars.TestExpand"},
	"V9": {holds: []string{`{lhs: ["${port}", "x"], operator: in, rhs: [443, "x"]}`}, fails: []string{`{lhs: ["${port}", "x"], operator: in, rhs: ["${port}"]}`}, tests: "vars.TestExpand"},

	"O1": {
		holds: []string{`{lhs: 1, operator: equals, rhs: "1"}`, `{lhs: 0, operator: equals, rhs: false}`, `{lhs: a, operator: equals, rhs: a}`},
		fails: []string{`{lhs: "true", operator: equals, rhs: true}`, `{lhs: a, operator: equals, rhs: A}`}, tests: "rule.TestComparisons",
	},
	"O2": {
		holds: []string{`{lhs: 443, operator: gt, rhs: 80}`, `{lhs: 443, operator: gte, rhs: 443}`, `{lhs: 79, operator: lt, rhs: 80}`, `{lhs: 80, operator: lte, rhs: 80}`},
		fails: []string{`{lhs: "443", operator: gt, rhs: 80}`, `{lhs: 443, operator: gt, rhs: 443}`, `{lhs: 1, operator: gte, rhs: 2}`, `{lhs: 1, operator: lt, rhs: 1}`, `{lhs: 2, operator: lte, rhs: 1}`},
		tests: "rule.TestComparisons",
	},
	"O3": {
		holds: []string{`{lhs: /login, operator: startsWith, rhs: /}`, `{lhs: /login, operator: endsWith, rhs: gin}`, `{lhs: /login, operator: contains, rhs: log}`},
		fails: []string{`{lhs: 5, operator: contains, rhs: "5"}`, `{lhs: /login, operator: startsWith, rhs: l}`, `{lhs: /login, operator: endsWith, rhs: lo}`}, tests: "rule.TestComparisons",
	},
	"O4": {holds: []string{`{lhs: 443, operator: in, rhs: [80, "443"]}`}, fails: []string{`{lhs: 22, operator: in, rhs: [80, 443]}`}, tests: "rule.TestSetOperators"},
	"O5": {
		holds: []string{`{lhs: "${ip}", operator: exists}`, `{lhs: "${zero}", operator: exists, rhs: true}`, `{lhs: "${absent}", operator: exists, rhs: false}`},
		fails: []string{`{lhs: "${absent}", operator: exists}`, `{lhs: "${ip}", operator: exists, rhs: false}`}, tests: "rule.TestSetOperators",
	},
	"O6": {holds: []string{`{lhs: v9.1, operator: matches, rhs: "^v[0-9]"}`}, fails: []string{`{lhs: v9, operator: matches, rhs: "^9"}`}, tests: "rule.TestSetOperators"},
	"O7": {holds: []string{`{lhs: 10.1.2.3, operator: inCidr, rhs: 10.0.0.0/8}`}, fails: []string{`{lhs: "2001:db8::1", operator: inCidr, rhs: 10.0.0.0/8}`}, tests: "rule.TestSetOperators"},
	"O8": {holds: []string{`{lhs: a.example.com, operator: subdomainOf, rhs: example.com}`}, fails: []string{`{lhs: evil-example.com, operator: subdomainOf, rhs: example.com}`}, tests: "rule.TestSetOperators"},
	"O9": {holds: []string{`{lhs: 443, operator: between, rhs: [1, 1023]}`}, fails: []string{`{lhs: 8080, operator: between, rhs: [1, 1023]}`}, tests: "rule.TestSetOperators"},

	"M1": {
		holds: []string{`{lhs: a, operator: equals_i, rhs: A}`, `{lhs: /LOGIN, operator: contains_i, rhs: log}`, `{lhs: A, operator: in_i, rhs: [a]}`, `{lhs: ABC, operator: matches_i, rhs: "^b|c$"}`, `{lhs: ABC, operator: startsWith_i, rhs: a}`, `{lhs: ABC, operator: endsWith_i, rhs: c}`},
		fails: []string{`{lhs: 1, operator: equals_i, rhs: 1}`, `{lhs: 443, operator: gt_i, rhs: 80}`, `{lhs: 443, operator: not_gt_i, rhs: 80}`}, tests: "rule.TestComparisons rule.TestInvalidDocuments",
	},
	"M2": {
		holds: []string{`{lhs: a, operator: not_equals, rhs: b}`, `{lhs: a, operator: not_not_equals, rhs: a}`, `{lhs: 1, operator: not_gt, rhs: 2}`, `{lhs: a, operator: not_in, rhs: [b]}`},
		fails: []string{`{lhs: a, operator: not_equals, rhs: a}`, `{lhs: a, operator: not_not_equals, rhs: b}`, `{lhs: 3, operator: not_gt, rhs: 2}`, `{lhs: a, operator: not_in, rhs: [a]}`},
	},
	"M3": {holds: []string{`{lhs: [a, b], operator: or_equals, rhs: b}`}, fails: []string{`{lhs: [a, b], operator: equals, rhs: b}`, `{lhs: [a, b], operator: or_equals, rhs: c}`}, tests: "rule.TestComparisons"},
	"M4": {holds: []string{`{lhs: a, operator: not_or_equals, rhs: [a, c]}`, `{lhs: a, operator: or_not_equals, rhs: [a, c]}`}, fails: []string{`{lhs: a, operator: not_or_equals, rhs: [a]}`, `{lhs: a, operator: or_not_equals, rhs: [a]}`}},
	"M5": {holds: []string{`{lhs: [a], operator: equals, rhs: a}`, `{lhs: a, operator: equals, rhs: [a]}`, `{lhs: [a, a], operator: equals, rhs: [a, a]}`}, fails: []string{`{lhs: [a, b], operator: equals, rhs: [a, b]}`}},
	"M6": {holds: []string{`{lhs: [a, 1], operator: or_contains, rhs: a}`}, fails: []string{`{lhs: [1, a], operator: or_contains, rhs: a}`}, tests: "rule.TestComparisons"},
	"M7": {holds: []string{`{lhs: a, operator: not_equals, rhs: [b, c]}`, `{lhs: a, operator: or_not_equals, rhs: [a, b]}`}, fails: []string{`{lhs: a, operator: not_equals, rhs: [a, b]}`}},
	"M8": {
		holds: []string{`{lhs: 10.1.1.1, operator: inCidr, rhs: [192.168.0.0/16, 10.0.0.0/8]}`, `{lhs: "${ip}", operator: not_inCidr, rhs: [10.0.0.0/8, 192.168.0.0/16]}`, `{lhs: [80, 81], operator: or_in, rhs: [81]}`},
		fails: []string{`{lhs: 10.1.1.1, operator: not_inCidr, rhs: [192.168.0.0/16, 10.0.0.0/8]}`, `{lhs: [80, 82], operator: in, rhs: [80, 81]}`, `{lhs: [80], operator: or_not_in, rhs: [80, 81]}`}, tests: "rule.TestSetOperators",
	},
	"M9": {
		fails: []string{`{lhs: 5, operator: not_contains, rhs: "5"}`, `{lhs: "443", operator: not_gt, rhs: 80}`, `{lhs: [], operator: not_equals, rhs: a}`, `{lhs: a, operator: not_equals, rhs: []}`, `{lhs: "${port}", operator: not_matches, rhs: a}`, `{lhs: nonsense, operator: not_inCidr, rhs: 10.0.0.0/8}`},
		holds: []string{`{lhs: "5", operator: not_contains, rhs: "6"}`},
	},
	"N1": {
		holds: []string{`{and: [{lhs: 1, operator: equals, rhs: 1}, {or: [{lhs: 1, operator: equals, rhs: 2}, {lhs: 1, operator: equals, rhs: 1}]}]}`},
		fails: []string{`{and: [{lhs: 1, operator: equals, rhs: 1}, {lhs: 1, operator: equals, rhs: 2}]}`, `{or: [{lhs: 1, operator: equals, rhs: 2}]}`}, tests: "rule.TestNesting",
	},
	"N2": {holds: []string{`{and: []}`, `{or: []}`}, fails: []string{`{lhs: 1, operator: equals, rhs: 2}`}, tests: "rule.TestNesting"},
	"N3": {holds: []string{`{and: [{and: []}, {or: []}]}`}, fails: []string{`{or: [{and: []}, {or: []}]}`}, tests: "rule.TestNesting"},

	"F1":  {tests: "engine.TestStagesDecide"},
	"F2":  {tests: "engine.TestMarksJudge"},
	"F3":  {tests: "engine.TestScopeListsGuardAutomation engine.TestStagesDecide engine.TestARangeIsScannedOnlyWhenAllOfItMayBe"},
	"F4":  {tests: "engine.TestStagesDecide"},
	"F5":  {tests: "engine.TestStagesDecide"},
	"F6":  {tests: "engine.TestStagesDecide"},
	"F7":  {tests: "engine.TestAFindingAsksForItsJobOncePerCooldown engine.TestAnAbortedBatchSpendsAndLearnsNothing cooldown.TestDecide"},
	"F8":  {tests: "engine.TestARootHasABudget engine.TestAnAbortedBatchChargesNothing"},
	"F9":  {tests: "engine.TestATargetIsNotAimedAtTooOften engine.TestAnAbortedBatchChargesNothing"},
	"F10": {tests: "cooldown.TestDecide"},
	"F11": {tests: "engine.TestGuardsAreCounted"},
	"F12": {tests: "engine.TestBrokenSubscriptionsStopNoOther rule.TestSetIsolatesBrokenSubscriptions"},

	"T1":  {tests: "schedule.TestABatchHasAlignedLists"},
	"T2":  {tests: "schedule.TestATickStartsOneJobForEachResourceOnce schedule.TestConditionsOfScheduledSubscriptions schedule.TestMergedResourcesAreLeftOut"},
	"T3":  {tests: "schedule.TestConditionsOfScheduledSubscriptions"},
	"T4":  {tests: "schedule.TestEachProjectHasItsJobAndItsCooldown"},
	"T5":  {tests: "schedule.TestTicksComeAtTheTimesOfTheirZone rule.TestScheduleKnowsSummerTimeAndPeriods"},
	"T6":  {tests: "schedule.TestTicksComeAtTheTimesOfTheirZone rule.TestScheduleKnowsSummerTimeAndPeriods"},
	"T7":  {tests: "schedule.TestTicksComeAtTheTimesOfTheirZone rule.TestScheduleKnowsSummerTimeAndPeriods"},
	"T8":  {tests: "schedule.TestTicksComeAtTheTimesOfTheirZone rule.TestScheduleKnowsSummerTimeAndPeriods"},
	"T9":  {tests: "schedule.TestTicksAfterAnAbsence schedule.TestDue"},
	"T10": {tests: "schedule.TestANewSubscriptionDoesNotLookBack"},
	"T11": {tests: "schedule.TestOverlap schedule.TestATickIsPassedOverWhileTheLastOneWalks"},
	"T12": {tests: "schedule.TestEachProjectHasItsJobAndItsCooldown"},
	"R1":  {tests: "schedule.TestATickStartsOneJobForEachResourceOnce schedule.TestReconcileAsksOnceInItsCooldown"},
	"R2":  {tests: "schedule.TestReconcileAsksOnceInItsCooldown"},
	"R3":  {tests: "schedule.TestReconcileAsksOnceInItsCooldown"},

	"X1": {holds: []string{`{lhs: "${zero}", operator: lt, rhs: 1}`, `{lhs: "${no}", operator: equals, rhs: 0}`}, fails: []string{`{lhs: "${zero}", operator: startsWith, rhs: ""}`}, tests: "vars.TestExpand"},
	"X2": {holds: []string{`{lhs: "${constructor}", operator: equals, rhs: ""}`, `{lhs: "${ip.length}", operator: not_exists}`}, fails: []string{`{lhs: "${ip.length}", operator: gt, rhs: 0}`}, tests: "vars.TestExpand"},
	"X3": {holds: []string{`{lhs: "${foo.bar}", operator: equals, rhs: ""}`}, fails: []string{`{lhs: "${foo.bar}", operator: exists}`}, tests: "vars.TestExpand"},
	"X4": {tests: "rule.TestComparisons rule.TestSetOperators"},
	"X5": {holds: []string{`{lhs: "a${port}b", operator: equals, rhs: a443b}`}, fails: []string{`{lhs: "a${port}b", operator: equals, rhs: "a${port}"}`}},
	"X6": {tests: "rule.TestInvalidDocuments"},
}

func TestRules(t *testing.T) {
	yes, f := true, *finding
	f.SSL, f.Domain = &yes, "Shop.example.com"
	f.Fields = []pipeline.Field{{Key: "endpoint", Data: "/Login"}, {Key: "zero", Data: int64(0)}, {Key: "no", Data: false}, {Key: "domainName", Data: "shadowed"}}
	for name, l := range laws {
		if len(l.holds) == 0 != (len(l.fails) == 0) {
			t.Errorf("%s: what holds and what does not must both be there", name)
		}
		for want, list := range map[bool][]string{true: l.holds, false: l.fails} {
			for _, c := range list {
				if r := compiled(t, "- "+c+"\n"); r.Holds(&f) != want {
					t.Errorf("%s: %s is %v", name, c, !want)
				}
			}
		}
	}
}

var lawName = regexp.MustCompile(`\*\*([A-Z][0-9]+)\*\*`)

// Every rule of RULES.md has a test that exists, and every test is of a rule that does.
func TestEveryRuleHasATest(t *testing.T) {
	text, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, m := range lawName.FindAllStringSubmatch(string(text), -1) {
		written = append(written, m[1])
	}
	slices.Sort(written)
	if d := cmp.Diff(slices.Sorted(maps.Keys(laws)), written); d != "" {
		t.Errorf("rules (-tested +written):\n%s", d)
	}
	folders := map[string]string{"rule": ".", "vars": "../vars", "engine": "../engine", "schedule": "../schedule", "cooldown": "../cooldown", "v1": "../../api/v1", "main": "../../cmd/stalker"}
	for name, l := range laws {
		if len(l.holds) == 0 && l.tests == "" {
			t.Errorf("%s has no test", name)
		}
		for x := range strings.FieldsSeq(l.tests) {
			pkg, fn, _ := strings.Cut(x, ".")
			if !defined(t, folders[pkg], fn) {
				t.Errorf("%s: there is no test %s", name, x)
			}
		}
	}
}

func defined(t *testing.T, folder, fn string) bool {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "*_test.go"))
	return slices.ContainsFunc(files, func(f string) bool {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "\nfunc "+fn+"(")
	})
}

// Every operator is among the conditions that hold and among those that do not.
func TestEveryOperatorIsInTheTables(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range laws {
		for _, c := range l.holds {
			seen["holds "+operatorOf(c)] = true
		}
		for _, c := range l.fails {
			seen["fails "+operatorOf(c)] = true
		}
	}
	for _, op := range rule.Operators() {
		for _, what := range []string{"holds ", "fails "} {
			if !seen[what+op] {
				t.Errorf("%s%s is in no row", what, op)
			}
		}
	}
}

var operatorIn = regexp.MustCompile(`operator: (?:not_|or_)*([A-Za-z]+?)(?:_i)?[,}]`)

func operatorOf(condition string) string {
	if m := operatorIn.FindStringSubmatch(condition); m != nil {
		return m[1]
	}
	return ""
}

func TestTheFormOfTheReferenceIsRead(t *testing.T) {
	d, err := rule.Parse([]byte("name: n\nfindings: [K]\ncooldown: 5\njobName: J\njobParameters: [{name: a, value: 1}]\nisEnabled: false\nprojectId: aaaaaaaaaaaaaaaaaaaaaaaa\n"))
	if err != nil || d.Job != "J" || len(d.Parameters) != 1 || d.Enabled == nil || *d.Enabled || d.ProjectID != strings.Repeat("a", 24) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestAByteOrderMarkIsPassedOver(t *testing.T) {
	if d, err := rule.Parse([]byte("\ufeff" + head)); err != nil || d.Name != "n" {
		t.Errorf("%+v, %v", d, err)
	}
	_, err := rule.Parse([]byte("\ufeffnam: n\nfindings: [K]\ncooldown: 1\njob: {name: J}\n"))
	if err == nil || !strings.Contains(err.Error(), "1:1: nam: unknown key") {
		t.Errorf("%v", err)
	}
}
