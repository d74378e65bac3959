package clickhouse

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// sorting is an order of a list other than that of its key; the key settles ties.
type sorting struct {
	spec string    // as it was asked for
	by   keyColumn // the expression, after FINAL, and how it is bound
	desc bool
}

func (s *sorting) op() string {
	if s.desc {
		return "<"
	}
	return ">"
}

// order writes the order of columns, all in the direction of s.
func (s *sorting) order(columns []keyColumn) string {
	out := names(columns)
	if s.desc {
		for i := range out {
			out[i] += " DESC"
		}
	}
	return strings.Join(out, ", ")
}

// What is compared: texts without regard to case, times and numbers
// as numbers.
func millisOf(e string) keyColumn { return keyColumn{"toUnixTimestamp64Milli(" + e + ")", "Int64"} }
func numberOf(e string) keyColumn { return keyColumn{"toInt64(" + e + ")", "Int64"} }
func foldedOf(e string) keyColumn { return keyColumn{"lowerUTF8(" + e + ")", "String"} }
func addressKey() keyColumn       { return keyColumn{"addr", "IPv6"} }

// sorts are the orders of a kind, by the name of the field.
func sorts(kind pipeline.Kind) map[string]keyColumn {
	if kind == filter.Execution {
		return map[string]keyColumn{
			"job": foldedOf("job"), "state": numberOf(element("current", "rank")), "queuedAt": millisOf("queued_at"),
			"startedAt": numberOf("if(" + hasStarted + ", toUnixTimestamp64Milli(" + element("started", "at") + "), 0)"),
			"endedAt":   numberOf("if(" + hasEnded + ", toUnixTimestamp64Milli(" + element("current", "at") + "), 0)"),
			"duration":  numberOf("if(" + hasEnded + " AND " + hasStarted + ", " + tookMillis + ", -1)"),
		}
	}
	m := map[string]keyColumn{"owner": foldedOf(valueOf("owner")), "firstSeen": millisOf("first_seen"), "lastSeen": millisOf("last_seen")}
	switch kind {
	default:
	case pipeline.KindDomain:
		m["domain"] = keyColumn{"name", "String"}
	case pipeline.KindHost:
		m["host"], m["os"] = addressKey(), foldedOf(valueOf("os"))
	case pipeline.KindRange:
		m["ipRange"] = addressKey()
	case pipeline.KindPort:
		m["host"], m["port"], m["port.protocol"] = addressKey(), numberOf("port"), keyColumn{"toString(protocol)", "String"}
		m["port.service"], m["port.product"], m["port.version"] = foldedOf(valueOf("service")), foldedOf(valueOf("product")), foldedOf(valueOf("version"))
	case pipeline.KindWebsite:
		m["domain"], m["host"], m["port"], m["path"] = keyColumn{"domain", "String"}, addressKey(), numberOf("port"), foldedOf("path")
		m["status"], m["title"], m["server"] = numberOf(valueOf("status")), foldedOf(valueOf("title")), foldedOf(valueOf("server"))
		m["certificate.expires"] = keyColumn{certificatePart("notAfter"), "String"}
	}
	return m
}

// parseSort reads FIELD or -FIELD; "" is no sorting.
func parseSort(kind pipeline.Kind, spec string) (*sorting, error) {
	if spec == "" {
		return nil, nil //nolint:nilnil // no sorting is what was asked for
	}
	name, desc := strings.CutPrefix(spec, "-")
	known := sorts(kind)
	if f := filter.Lookup(kind, name); f != nil {
		if by, ok := known[f.Name]; ok {
			s := &sorting{spec: f.Name, by: by, desc: desc}
			if desc {
				s.spec = "-" + s.spec
			}
			return s, nil
		}
	}
	var can []string
	for k := range known {
		can = append(can, k)
	}
	slices.Sort(can)
	return nil, pipeline.Errorf(pipeline.CodeInvalid, "sort: a %s is sorted by one of %s, with - before it for the other direction, not by %q", kind, strings.Join(can, ", "), name)
}

// projectColumn is the first column of every key.
var projectColumn = keyColumn{"project_id", "String"}

// cursorColumns are the parts of a cursor of a list.
func cursorColumns(s *sorting, key []keyColumn) []keyColumn {
	if s == nil {
		return key
	}
	return slices.Concat([]keyColumn{{"sort", "String"}, s.by}, key)
}

// decodeSorted takes a cursor apart; one of another order is an error.
func decodeSorted(cursor string, s *sorting, key []keyColumn) ([]string, error) {
	after, err := decodeCursor(cursor, cursorColumns(s, key))
	if err != nil || s == nil || after == nil {
		return after, err
	}
	if after[0] != s.spec {
		return nil, errCursor
	}
	return after[1:], nil
}

// sorted selects one page in another order than the table's: the keys are picked
// from the few columns that the filter and the order need, and the rest is read for
// those. The last column is the value that was sorted by, for the cursor.
func (q pageQuery) sorted() (string, []any) {
	where, args := q.where()
	key := append([]keyColumn{projectColumn}, q.key...)
	columns := append([]keyColumn{q.sort.by}, key...)
	if q.after != nil {
		cond, more := keyset(columns, q.after, q.sort.op())
		where, args = append(where, cond...), append(args, more...)
	}
	where = append(where, visible)
	keys, order := strings.Join(names(key), ", "), q.sort.order(columns)
	picked := fmt.Sprintf("(%[1]s) IN (\nSELECT %[1]s\nFROM %[2]s FINAL%[3]s\nORDER BY %[4]s\nLIMIT %[5]d)", keys, q.table, conditions(where), order, q.limit+1)
	outer, _ := q.conditions()
	outer = append(outer, picked)
	return fmt.Sprintf("SELECT %s, %s\nFROM %s FINAL%s\nORDER BY %s",
		expressions(q.columns, selected.final), q.sort.by.name, q.table, conditions(outer), order), args
}

// withLast reads one more column at the end of each row.
type withLast struct {
	scanner
	last any
}

// Scan reads a row.
func (w withLast) Scan(dest ...any) error { return w.scanner.Scan(append(dest, w.last)...) }

// place is where the value that was sorted by is read into, and its text.
func (s *sorting) place() (into any, text func() string) {
	switch s.by.typ {
	case "Int64":
		n := new(int64)
		return n, func() string { return strconv.FormatInt(*n, 10) }
	case "IPv6":
		a := new(netip.Addr)
		return a, func() string { return mapped(a.String()) }
	default:
		t := new(string)
		return t, func() string { return *t }
	}
}
