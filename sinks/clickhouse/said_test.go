package clickhouse_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// A release that does not know the column leaves it out; the store then writes what
// this one would have written.
func TestRowsWithoutWhatWasSaidGetIt(t *testing.T) {
	_, conn := clickhousetest.OpenWithConn(t)
	for i, fields := range [][]pipeline.Field{
		nil,
		{},
		{{Key: "severity", Type: pipeline.TextField, Data: "HIGH"}, {Key: "score", Type: pipeline.TextField, Data: 7.5}, {Key: "n", Type: pipeline.TextField, Data: int64(-3)}},
		{{Key: "Über \"x\"", Type: pipeline.TextField, Data: "Ä\n\t\\ \u2028 <b>"}, {Key: "ok", Type: pipeline.TextField, Data: true}, {Key: "none", Type: pipeline.TextField}},
	} {
		text := ""
		if fields != nil {
			b, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		id := string(rune('a' + i))
		if err := conn.Exec(t.Context(), "INSERT INTO findings (project_id, at, id, name, key, fields) VALUES ('p', ?, ?, 'A Näme', 'Key', ?)", time.Now(), id, text); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT said FROM findings WHERE id = ?", id).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := rows.Words("A Näme", fields); got != want {
			t.Errorf("%s: the store has %q, want %q", text, got, want)
		}
	}
}
