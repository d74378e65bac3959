package v1

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/api/export"
	"github.com/stalker-asm/stalker/pipeline"
)

// maxAsked is how many queries of people run at once.
const maxAsked = 2

// askSQL answers a SELECT over the views of a project. What may stand in one, and how
// much it may take, is the store's business; the query stands in the audit log.
func (a *API) askSQL(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	var v url.Values
	if err == nil {
		v, err = query(r, "format")
	}
	var in struct {
		Query string `json:"query"`
	}
	if err == nil {
		err = decode(w, r, &in)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	note(r, in.Query)
	select {
	case a.asked <- struct{}{}:
		defer func() { <-a.asked }()
	default:
		a.fail(w, pipeline.Errorf(pipeline.CodeBusy, "%d queries are running, which is as many as may at once", maxAsked))
		return
	}
	out, err := a.Store.Ask(r.Context(), pipeline.SQLQuery{ProjectID: p.ID, Text: in.Query})
	switch {
	case err != nil:
		a.fail(w, err)
	case v.Get("format") == "csv":
		a.answerCSV(w, &out)
	default:
		reply(w, http.StatusOK, out)
	}
}

// answerCSV writes an answer as the export of a list would.
func (a *API) answerCSV(w http.ResponseWriter, out *pipeline.SQLAnswer) {
	h := w.Header()
	h.Set("Content-Type", export.CSV.Media())
	h.Set("Content-Disposition", `attachment; filename="query-`+a.now().UTC().Format("2006-01-02-150405")+`.csv"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if out.Truncated {
		h.Set("Stalker-Truncated", "true")
	}
	b := bufio.NewWriter(w)
	line := make([]string, len(out.Columns))
	for i, c := range out.Columns {
		line[i] = quotedCell(export.Harmless(c.Name))
	}
	for i := -1; i < len(out.Rows); i++ {
		if i >= 0 {
			for j, v := range out.Rows[i] {
				line[j] = quotedCell(asCell(v))
			}
		}
		_, _ = b.WriteString(strings.Join(line, ",") + "\r\n")
	}
	_ = b.Flush() // the client went away
}

// asCell is a value as text: texts that a spreadsheet would calculate are made harmless.
func asCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return export.Harmless(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case []any, map[string]any:
		b, err := json.Marshal(v)
		if err != nil { // the store gives only what JSON has
			return ""
		}
		return export.Harmless(string(b))
	case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64:
		return fmt.Sprint(v)
	default:
		return export.Harmless(fmt.Sprint(v))
	}
}

// quotedCell is a text between commas, as RFC 4180 has it.
func quotedCell(s string) string {
	if !strings.ContainsAny(s, "\",\r\n") {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
