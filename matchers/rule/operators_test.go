package rule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// Every operator beyond the reference, with what holds and what does not.
func TestSetOperators(t *testing.T) {
	f := *finding
	f.Domain = "Shop.Example.com"
	f.Tag = "prod"
	f.Fields = append([]pipeline.Field{{Key: "title", Data: "Grafana v9.1"}, {Key: "empty", Data: ""}, {Key: "no", Data: false}, {Key: "net", Data: "192.0.2.0/24"}, {Key: "low", Data: int64(400)}}, f.Fields...)
	for _, tc := range []struct {
		l, op, r string
		want     bool
	}{
		{`"${port}"`, "in", `[80, 443]`, true},
		{`"${port}"`, "in", `[80, "443"]`, true},
		{`"${port}"`, "in", `[80, 8080]`, false},
		{`"${port}"`, "not_in", `[80, 8080]`, true},
		{`"${port}"`, "not_in", `[80, 443]`, false},
		{`"${port}"`, "in", `443`, true},
		{`"${endpoint}"`, "in", `["/login.php"]`, false},
		{`"${endpoint}"`, "in_i", `["/login.php"]`, true},
		{`"${port}"`, "in_i", `["443"]`, false},
		{`"${port}"`, "not_in_i", `["80"]`, false},
		{`[80, "${port}"]`, "in", `[443, 80]`, true},
		{`[81, "${port}"]`, "in", `[443, 80]`, false},
		{`[81, "${port}"]`, "or_in", `[443, 80]`, true},
		{`[80, "${port}"]`, "or_not_in", `[443, 80]`, false},
		{`[]`, "not_in", `[1]`, false},
		{`"${port}"`, "in", `["${port}"]`, true},
		{`"${tag}"`, "exists", ``, true},
		{`"${TAG}"`, "exists", `true`, true},
		{`"${tag}"`, "exists", `false`, false},
		{`"${tag}"`, "not_exists", `false`, true},
		{`"${absent}"`, "exists", ``, false},
		{`"${absent}"`, "not_exists", ``, true},
		{`"${empty}"`, "exists", ``, true},
		{`"${no}"`, "exists", ``, true},
		{`"${zero}"`, "exists", ``, true},
		{`"${mask}"`, "exists", ``, false},
		{`["${tag}", "${absent}"]`, "exists", ``, false},
		{`["${tag}", "${absent}"]`, "or_exists", ``, true},
		{`["${tag}", "${absent}"]`, "not_exists", ``, false},
		{`["${absent}", "${gone}"]`, "not_exists", ``, true},
		{`"${title}"`, "matches", `"v(9|10)\\."`, true},
		{`"${title}"`, "matches", `"^v"`, false},
		{`"${title}"`, "matches", `"grafana"`, false},
		{`"${title}"`, "matches_i", `"^GRAFANA"`, true},
		{`"${title}"`, "matches", `["nothing", "9"]`, true},
		{`"${title}"`, "not_matches", `["nothing", "9"]`, false},
		{`"${title}"`, "not_matches", `["nothing", "none"]`, true},
		{`"${port}"`, "matches", `"443"`, false},
		{`"${port}"`, "not_matches", `"80"`, false},
		{`"${ip}"`, "inCidr", `"192.0.2.0/24"`, true},
		{`"${ip}"`, "inCidr", `["10.0.0.0/8", "192.0.2.1"]`, true},
		{`"${ip}"`, "inCidr", `"192.0.2.128/25"`, false},
		{`"${ip}"`, "not_inCidr", `["10.0.0.0/8", "fd00::/8"]`, true},
		{`"${ip}"`, "not_inCidr", `["10.0.0.0/8", "0.0.0.0/0"]`, false},
		{`"::ffff:192.0.2.1"`, "inCidr", `"192.0.2.0/24"`, true},
		{`"2001:db8::1"`, "inCidr", `"2001:DB8::/32"`, true},
		{`"192.0.2.0/25"`, "inCidr", `"192.0.2.0/24"`, true},
		{`"192.0.0.0/16"`, "inCidr", `"192.0.2.0/24"`, false},
		{`"${title}"`, "not_inCidr", `"10.0.0.0/8"`, false},
		{`"${ip}"`, "inCidr", `"${net}"`, true},
		{`"${ip}"`, "not_inCidr", `"${title}"`, false},
		{`"${domainName}"`, "subdomainOf", `"example.com"`, true},
		{`"${domainName}"`, "subdomainOf", `"shop.example.com"`, true},
		{`"${domainName}"`, "subdomainOf", `["other.org", "com."]`, true},
		{`"${domainName}"`, "subdomainOf", `"ample.com"`, false},
		{`"${domainName}"`, "subdomainOf", `"a.shop.example.com"`, false},
		{`"${domainName}"`, "not_subdomainOf", `"example.org"`, true},
		{`"evil-example.com"`, "subdomainOf", `"example.com"`, false},
		{`"${port}"`, "subdomainOf", `"example.com"`, false},
		{`"${port}"`, "between", `[443, 500]`, true},
		{`"${port}"`, "between", `[1, 442.9]`, false},
		{`"${port}"`, "between", `[[1, 80], [400, 450]]`, true},
		{`"${port}"`, "not_between", `[[1, 80], [444, 450]]`, true},
		{`"443"`, "between", `[1, 500]`, false},
		{`"443"`, "not_between", `[600, 700]`, false},
		{`"${port}"`, "between", `["${low}", 500]`, true},
		{`"${port}"`, "between", `[500, "${low}"]`, false},
	} {
		rhs := ""
		if tc.r != "" {
			rhs = ", rhs: " + tc.r
		}
		r := compiled(t, fmt.Sprintf("- {lhs: %s, operator: %s%s}\n", tc.l, tc.op, rhs))
		for range 2 { // evaluating changes nothing
			if got := r.Holds(&f); got != tc.want {
				t.Errorf("%s %s %s = %v", tc.l, tc.op, tc.r, got)
			}
		}
	}
}

func TestCheckRefusesWhatCanNeverHold(t *testing.T) {
	for condition, want := range map[string]string{
		`{lhs: "${port}", operator: startsWith, rhs: "8"}`:       "conditions[0].lhs: ${port} is a number, and startsWith compares with text only",
		`{lhs: "${ip}", operator: gt, rhs: 5}`:                   "conditions[0].lhs: ${ip} is text, and gt compares with a number only",
		`{lhs: "${x}", operator: gt, rhs: "80"}`:                 "conditions[0].rhs: this is text, and gt compares with a number only",
		`{lhs: "${finding.SSL}", operator: equals_i, rhs: "a"}`:  "conditions[0].lhs: ${ssl} is a boolean, and equals_i compares with text only",
		`{lhs: "${x}", operator: not_contains, rhs: [a, 5]}`:     "conditions[0].rhs[1]: this is a number, and not_contains",
		`{lhs: "${port}", operator: inCidr, rhs: "10.0.0.0/8"}`:  "conditions[0].lhs: ${port} is a number, and inCidr",
		`{lhs: "${domainName}", operator: between, rhs: [1, 2]}`: "conditions[0].lhs: ${domainname} is text, and between",
		`{lhs: "${x}", operator: gt_i, rhs: 1}`:                  "conditions[0].operator: gt_i never holds",
		`{or: [{lhs: "${mask}", operator: matches, rhs: "a"}]}`:  "conditions[0].or[0].lhs: ${mask} is a number",
	} {
		text := []byte(head + "conditions:\n- " + condition + "\n")
		if _, err := rule.Parse(text); err != nil {
			t.Errorf("Parse(%s) = %v; a stored rule must go on", condition, err)
		}
		if _, err := rule.Check(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%s) = %v, want %q", condition, err, want)
		}
	}
	for _, name := range []string{"login.yaml", "operators.yaml", "portscan.yaml"} {
		if _, err := rule.Check([]byte(corpus(t, "valid")[name])); err != nil {
			t.Errorf("Check(%s) = %v", name, err)
		}
	}
}

func TestALargeRuleIsRefusedQuickly(t *testing.T) {
	text := head + "conditions:\n" + strings.Repeat("- {lhs: 1, operator: equals, rhs: 1}\n", 10_000)
	if _, err := rule.Parse([]byte(text)); err == nil {
		t.Error("10,000 conditions were accepted")
	}
	for _, pattern := range []string{strings.Repeat("(", 500) + strings.Repeat("){2}", 100), "(((((((((a{2}){2}){2}){2}){2}){2}){2}){2}){2}){999}", strings.Repeat("[a-z0-9]", 124), strings.Repeat("a", 1001)} {
		if re, err := rule.Pattern(pattern, true); err == nil && len(pattern) > rule.MaxPattern {
			t.Errorf("%d bytes were accepted: %v", len(pattern), re)
		}
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestScheduleKnowsSummerTimeAndPeriods(t *testing.T) {
	for _, tc := range []struct{ expression, zone, from, want string }{
		{"0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		// in Berlin, 02:00 to 02:59 does not exist on March 29 and comes twice on October 25
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		{"0,30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"},
		{"0,30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"},
		{"30 3 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T02:30:00Z"},
		{"30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"30 ? * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
		{"@daily", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"}, // midnight is jumped over
		{"0 12 * * *", "Pacific/Apia", "2011-12-29T23:00:00Z", "2011-12-30T10:00:00Z"}, // and here a whole day
		{"0 12 * * *", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"},
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z"}, // half an hour
		{"15 10 ? * MON-FRI", "Asia/Kolkata", "2026-01-02T12:00:00Z", "2026-01-05T04:45:00Z"},
		{"5 4 3 ? jan 0", "", "2026-01-02T12:00:00Z", "2026-01-04T03:04:05Z"},
		{"@yearly", "", "2026-01-02T12:00:00Z", "2027-01-01T00:00:00Z"},
		{"@weekly", "", "2026-01-02T12:00:00Z", "2026-01-04T00:00:00Z"},
		{"@hourly", "Asia/Kathmandu", "2026-01-02T12:00:00Z", "2026-01-02T12:15:00Z"},
		{"*/30 * * * * ?", "", "2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z"},
		{"0 0 */7 * *", "", "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"},
		{"@every 10m", "", "2026-01-01T00:03:11Z", "2026-01-01T00:10:00Z"},
		{"@monthly", "Asia/Tokyo", "2026-01-15T00:00:00Z", "2026-01-31T15:00:00Z"},
		{"0 0 29 2 *", "", "2026-01-15T00:00:00Z", "2028-02-29T00:00:00Z"},
	} {
		s, err := rule.ParseSchedule(tc.expression, tc.zone)
		if err != nil {
			t.Errorf("%s: %v", tc.expression, err)
			continue
		}
		if got := s.Next(instant(t, tc.from)).UTC(); !got.Equal(instant(t, tc.want)) {
			t.Errorf("%s in %q after %s: %s, want %s", tc.expression, tc.zone, tc.from, got, tc.want)
		}
	}
	for _, bad := range []string{"", "* *", "@every 1s", "@sometimes", "60 * * * *", "* 24 * * *", "0 0 31 2 *", "0 0 0 0 0 0 0", "@every", "@every -1h", "0 0 * * MON#2", "0 0 L * *", "CRON_TZ=UTC 0 0 * * *"} {
		if s, err := rule.ParseSchedule(bad, ""); err == nil {
			t.Errorf("ParseSchedule(%q) = %v", bad, s)
		}
	}
}
