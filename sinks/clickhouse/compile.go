package clickhouse

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// compiled is a filter as a condition on folded rows. Everything a person wrote is
// bound, nothing of it is part of the statement.
type compiled struct {
	where  string // "" selects everything
	args   []any
	tables []string // those looked into besides the one that is filtered
}

// conditions are the conditions of c, none when it selects everything.
func (c compiled) conditions() ([]string, []any) {
	if c.where == "" {
		return nil, nil
	}
	return []string{c.where}, c.args
}

// compile parses a text and makes a condition of it, for the things of one kind.
func (s *Store) compile(kind pipeline.Kind, text, project string) (compiled, error) {
	f, err := filter.Parse(kind, text, s.now())
	if err != nil {
		return compiled{}, err
	}
	return compileFilter(f, project)
}

func compileFilter(f *filter.Filter, project string) (compiled, error) {
	if f.Everything() {
		return compiled{}, nil
	}
	c := compiler{terms: termsOf(f.Kind), project: project, now: f.Now}
	where := c.expr(f.Root)
	return compiled{where: where, args: c.args, tables: c.tables}, c.err
}

// terms are how the fields of a kind are looked up: each gives the condition that a
// term holds.
type terms map[string]func(c *compiler, t *filter.Term) string

// compiler collects what is bound while conditions are written.
type compiler struct {
	terms   terms
	project string
	now     time.Time
	args    []any
	tables  []string
	err     error
}

func (c *compiler) expr(x filter.Expr) string {
	switch x := x.(type) {
	case filter.And:
		return c.list(x, " AND ")
	case filter.Or:
		return c.list(x, " OR ")
	case filter.Not:
		return "NOT " + c.parenthesised(c.expr(x.X))
	case *filter.Term:
		return c.term(x)
	default:
		c.err = fmt.Errorf("an expression %T cannot be compiled", x)
		return "0"
	}
}

func (c *compiler) list(xs []filter.Expr, op string) string {
	out := make([]string, len(xs))
	for i, x := range xs {
		out[i] = c.parenthesised(c.expr(x))
	}
	return strings.Join(out, op)
}

func (c *compiler) parenthesised(s string) string { return "(" + s + ")" }

func (c *compiler) term(t *filter.Term) string {
	fn := c.terms[t.Field.Name]
	if fn == nil { // project names, before they are resolved
		c.err = pipeline.Errorf(pipeline.CodeInvalid, "%s cannot be searched for here", t.Field.Name)
		return "0"
	}
	return fn(c, t)
}

// bind binds a value and returns its place in the statement.
func (c *compiler) bind(typ string, v any) string {
	name := "f" + strconv.Itoa(len(c.args))
	c.args = append(c.args, clickhouse.Named(name, v))
	return "{" + name + ":" + typ + "}"
}

// either joins alternatives.
func either(conds []string) string {
	switch len(conds) {
	case 0:
		return "0"
	case 1:
		return conds[0]
	default:
		return "(" + strings.Join(conds, " OR ") + ")"
	}
}

// fold lowers a text letter by letter, like lowerUTF8 does.
func fold(s string) string { return strings.ToLower(s) }

// text compares texts without regard to case. lower says that the expression gives
// lower-case letters only, so that it can be compared as it is, which an index
// understands.
func (c *compiler) text(e string, lower bool, t *filter.Term) string {
	folded := e
	if !lower {
		folded = "lowerUTF8(" + e + ")"
	}
	var exact, conds []string
	for i := range t.Values {
		v := &t.Values[i]
		switch {
		case v.Regexp != nil:
			conds = append(conds, fmt.Sprintf("match(%s, %s)", e, c.bind("String", v.Regexp.String())))
		case v.Any():
			conds = append(conds, e+" != ''")
		case v.Exact():
			exact = append(exact, fold(v.Pieces[0]))
		default:
			conds = append(conds, folded+" LIKE "+c.bind("String", pattern(v.Pieces)))
		}
	}
	return either(append(c.exactly(folded, "String", exact), conds...))
}

// exactly compares with one value, or with any of several.
func (c *compiler) exactly(e, typ string, values []string) []string {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return []string{e + " = " + c.bind(typ, values[0])}
	default:
		return []string{e + " IN " + c.bind("Array("+typ+")", values)}
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// pattern writes pieces as a LIKE pattern.
func pattern(pieces []string) string {
	out := make([]string, len(pieces))
	for i, p := range pieces {
		out[i] = likeEscaper.Replace(fold(p))
	}
	return strings.Join(out, "%")
}

// words look for a part of any of several texts.
func (c *compiler) words(in []string, rewrite func(string) string, t *filter.Term) string {
	var conds []string
	for i := range t.Values {
		v := &t.Values[i]
		switch {
		case v.Regexp != nil:
			conds = append(conds, overAll(in, "match(%s, "+c.bind("String", v.Regexp.String())+")"))
		case v.Any():
			conds = append(conds, overAll(in, "%s != ''"))
		case v.Exact():
			text := v.Pieces[0]
			if rewrite != nil {
				text = rewrite(text)
			}
			conds = append(conds, overAll(in, "positionCaseInsensitiveUTF8(%s, "+c.bind("String", text)+") > 0"))
		default:
			conds = append(conds, overAll(in, "lowerUTF8(%s) LIKE "+c.bind("String", "%"+pattern(v.Pieces)+"%")))
		}
	}
	return either(conds)
}

func overAll(in []string, form string) string {
	out := make([]string, len(in))
	for i, e := range in {
		out[i] = strings.Replace(form, "%s", e, 1)
	}
	return either(out)
}

// same compares ids and words of a closed list.
func (c *compiler) same(e string, t *filter.Term) string {
	var exact, conds []string
	for i := range t.Values {
		if v := &t.Values[i]; v.Any() {
			conds = append(conds, e+" != ''")
		} else {
			exact = append(exact, v.Pieces[0])
		}
	}
	return either(append(c.exactly(e, "String", exact), conds...))
}

// number compares a number. present is the condition that there is one, "" when
// there always is.
func (c *compiler) number(e, present string, t *filter.Term) string {
	var exact []int64
	var conds []string
	for i := range t.Values {
		v := &t.Values[i]
		switch {
		case v.Any():
			conds = append(conds, "1")
		case v.Lo == v.Hi:
			exact = append(exact, v.Lo)
		default:
			conds = append(conds, c.between(e, "%s", v.Lo, v.Hi))
		}
	}
	if len(exact) > 0 {
		conds = append([]string{e + " IN " + c.bind("Array(Int64)", exact)}, conds...)
	}
	return guarded(present, either(conds))
}

func guarded(present, cond string) string {
	switch {
	case present == "":
		return cond
	case cond == "1":
		return present
	default:
		return "(" + present + " AND " + cond + ")"
	}
}

// between compares with the bounds that are some; form makes a value of a number.
func (c *compiler) between(e, form string, lo, hi int64) string {
	v := filter.Value{Lo: lo, Hi: hi}
	below, above := v.Bounded()
	var conds []string
	if below {
		conds = append(conds, e+" >= "+strings.Replace(form, "%s", c.bind("Int64", lo), 1))
	}
	if above {
		conds = append(conds, e+" <= "+strings.Replace(form, "%s", c.bind("Int64", hi), 1))
	}
	switch len(conds) {
	case 0:
		return "1"
	case 1:
		return conds[0]
	default:
		return "(" + strings.Join(conds, " AND ") + ")"
	}
}

// The times a DateTime64 can be compared with.
var (
	earliest = time.Date(1900, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	latestMs = time.Date(2299, 12, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
)

// date compares an instant.
func (c *compiler) date(e, present string, t *filter.Term) string {
	var conds []string
	for i := range t.Values {
		v := &t.Values[i]
		lo, hi := v.Lo, v.Hi
		if below, above := v.Bounded(); !v.Any() {
			if below {
				lo = min(max(lo, earliest), latestMs)
			}
			if above {
				hi = min(max(hi, earliest), latestMs)
			}
			conds = append(conds, c.between(e, "fromUnixTimestamp64Milli(%s, 'UTC')", lo, hi))
		} else {
			conds = append(conds, "1")
		}
	}
	return guarded(present, either(conds))
}

// textDate compares an instant that is stored as text in RFC 3339, to the second.
func (c *compiler) textDate(e string, t *filter.Term) string {
	var conds []string
	for i := range t.Values {
		v := &t.Values[i]
		if v.Any() {
			conds = append(conds, "1")
			continue
		}
		below, above := v.Bounded()
		var parts []string
		if below {
			parts = append(parts, e+" >= "+c.bind("String", stamp(v.Lo+999)))
		}
		if above {
			parts = append(parts, e+" <= "+c.bind("String", stamp(v.Hi)))
		}
		conds = append(conds, "("+strings.Join(parts, " AND ")+")")
	}
	return guarded(e+" > '0001-01-02'", either(conds))
}

// stamp is an instant as text, within the years that have four digits.
func stamp(ms int64) string {
	t := time.UnixMilli(min(max(ms, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).UnixMilli())).UTC()
	return t.Format("2006-01-02T15:04:05Z")
}

const (
	firstV4 = "toIPv6('::ffff:0.0.0.0')"
	lastV4  = "toIPv6('::ffff:255.255.255.255')"
)

func isV4(e string) string { return "(" + e + " >= " + firstV4 + " AND " + e + " <= " + lastV4 + ")" }

// ipText is an address as people write it.
func ipText() string { return ipTextOf("addr") }

func ipTextOf(e string) string {
	return "if(" + isV4(e) + ", substring(IPv6NumToString(" + e + "), 8), IPv6NumToString(" + e + "))"
}

// addr compares an address; text is the expression that gives it as people write it.
func (c *compiler) addr(e, text string, t *filter.Term) string {
	var exact, conds []string
	for i := range t.Values {
		v := &t.Values[i]
		switch {
		case v.Any():
			conds = append(conds, "1")
		case v.Regexp != nil, !v.First.IsValid():
			one := *t
			one.Values = []filter.Value{*v}
			conds = append(conds, c.text(text, true, &one))
		case v.First == v.Last:
			exact = append(exact, mapped(v.First.String()))
		default:
			cond := e + " >= " + c.bind("IPv6", mapped(v.First.String())) + " AND " + e + " <= " + c.bind("IPv6", mapped(v.Last.String()))
			if v.First.Is6() {
				cond += " AND NOT " + isV4(e)
			}
			conds = append(conds, "("+cond+")")
		}
	}
	return either(append(c.exactly(e, "IPv6", exact), conds...))
}

// bits is the length of a prefix of the range (addr, bits) in an IPv6 address.
const lastOfRange = "tupleElement(IPv6CIDRToRange(addr, toUInt8(if(addr >= " + firstV4 + " AND addr <= " + lastV4 + ", bits + 96, bits))), 2)"

// network compares the range (addr, bits) with networks.
func (c *compiler) network(t *filter.Term) string {
	var conds []string
	for i := range t.Values {
		v := &t.Values[i]
		if v.Any() {
			conds = append(conds, "1")
			continue
		}
		first, last := c.bind("IPv6", mapped(v.First.String())), c.bind("IPv6", mapped(v.Last.String()))
		family := isV4("addr")
		if v.First.Is6() {
			family = "NOT " + family
		}
		form := "(%[3]s AND addr = %[1]s AND %[4]s = %[2]s)"
		switch t.Field.Type {
		case filter.Holds:
			form = "(%[3]s AND addr <= %[1]s AND %[4]s >= %[2]s)"
		case filter.Within:
			form = "(%[3]s AND addr >= %[1]s AND %[4]s <= %[2]s)"
		default:
		}
		conds = append(conds, fmt.Sprintf(form, first, last, family, lastOfRange))
	}
	return either(conds)
}

// in is the condition that columns have values some rows of another table have.
func (c *compiler) in(columns, selected, table string, cond ...string) string {
	if name := strings.TrimSuffix(table, " FINAL"); !slices.Contains(c.tables, name) {
		c.tables = append(c.tables, name)
	}
	if c.project != "" {
		columns, selected = strings.TrimPrefix(columns, "project_id, "), strings.TrimPrefix(selected, "project_id, ")
		cond = append([]string{"project_id = {project:String}"}, cond...)
	}
	return fmt.Sprintf("(%s) IN (\nSELECT %s\nFROM %s\nWHERE %s)", columns, selected, table, strings.Join(cond, " AND "))
}
