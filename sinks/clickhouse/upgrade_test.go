package clickhouse_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

// A store of the first release did not know when a website was said to use something,
// nor forgot with a deletion whether it speaks TLS. After the upgrade it says of each
// website what the findings say of it since; and what nobody can date stays, as long
// as the website was never deleted.
func TestStoreOfTheFirstRelease(t *testing.T) {
	s, conn := clickhousetest.OpenWithConn(t)
	exec := func(sql string) {
		t.Helper()
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%.300s: %v", sql, err)
		}
	}
	for _, table := range schema.Tables() {
		exec("DROP TABLE " + table.Name + " SYNC")
	}
	text, err := os.ReadFile("schema/testdata/states/2026-11.sql")
	if err != nil {
		t.Fatal(err)
	}
	for sql := range strings.SplitSeq(string(text), ";\n") {
		if strings.TrimSpace(sql) != "" {
			exec(sql)
		}
	}
	begin := time.Now().Add(-time.Hour).Unix() // younger than what is forgotten
	at := func(second int64) string { return strconv.FormatInt(begin+second, 10) }
	site := func(n, deleted, tech string) {
		exec("INSERT INTO websites (project_id, domain, addr, port, path, id, first_seen, last_seen, deleted_at, ssl, technologies) SELECT 'p', '" + n +
			"', toIPv6('192.0.2.1'), 443, '/', '" + n + "', " + at(10) + ", " + at(90) + ", " + deleted + ", (bitShiftLeft(toUInt64(" + at(20) + "000), 20), 0), [" + tech + "]")
	}
	site("never.example", "0", "'PHP', 'old'")
	site("back.example", at(50), "'PHP', 'nginx'")
	said := func(n, at, field string) {
		exec("INSERT INTO findings (project_id, at, id, correlation_key, type, key, domain, ip, port, path, fields) SELECT 'p', " + at + ", '" + n + at +
			"', '', 'CustomFinding', 'WebsiteTechnologyFinding', '" + n + "', '192.0.2.1', 443, '', '[{\"key\":\"technology\",\"type\":\"text\",\"data\":\"" + field + "\"},{\"key\":\"other\",\"data\":\"x\"}]'")
	}
	said("never.example", at(10), "PHP")
	said("back.example", at(10), "PHP")
	said("back.example", at(80), " nginx ")

	for range 2 { // the second changes nothing
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		page := get[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), pipeline.Query{ProjectID: "p"}))
		for _, w := range page.Items {
			got[w.Domain] = w.Technologies
			if first := w.FirstSeen.Unix(); first != begin+10 {
				t.Errorf("%s: first seen at %d", w.Domain, first)
			}
			if known := w.SSL != nil; known != (w.Domain == "never.example") {
				t.Errorf("%s: whether it speaks TLS is known: %v", w.Domain, known)
			}
		}
		want := map[string][]string{"never.example": {"PHP", "old"}, "back.example": {"nginx"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("technologies (-want +got)\n%s", diff)
		}
		page = get[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), pipeline.Query{ProjectID: "p", Text: "technology:PHP"}))
		if len(page.Items) != 1 || page.Items[0].Domain != "never.example" {
			t.Errorf("technology:PHP finds %+v", page.Items)
		}
	}
	// what wrote before still can, until it is replaced
	site("never.example", "0", "'late'")
	page := get[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), pipeline.Query{ProjectID: "p", Text: "technology:late"}))
	if len(page.Items) != 1 || !slices.Contains(page.Items[0].Technologies, "late") {
		t.Errorf("what the earlier release says meanwhile: %+v", page.Items)
	}

	// and what it said of a website that was deleted before shows once it is gone
	said("back.example", at(85), "late")
	for _, step := range []struct {
		run  func(context.Context) error
		want []string
	}{{s.Migrate, []string{"nginx"}}, {s.Refill, []string{"late", "nginx"}}, {s.Refill, []string{"late", "nginx"}}} {
		if err := step.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		page := get[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), pipeline.Query{ProjectID: "p", Text: "domain:back.example"}))
		if len(page.Items) != 1 || !slices.Equal(page.Items[0].Technologies, step.want) {
			t.Errorf("of what was said meanwhile: %+v, want %v", page.Items, step.want)
		}
	}
}
