package filter

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// date reads an instant, a day, a month, a year, a length of time, or two of them
// with .. between. A length of time is an age: <7d is less than seven days ago. For
// dates that lie ahead it counts from now on.
func (p *parser) date(f *Field, v *Value) {
	s := v.text()
	from, to, isRange := strings.Cut(s, "..")
	if isRange && v.Op != Is {
		p.problem(v.Span, nil, "%s and a range exclude each other", v.Op)
		return
	}
	first, last, age, ok := p.instant(f, from)
	if !ok {
		p.problem(v.Span, nil, "%q is no time: write 7d, 2026-01-31, 2026-01-31T12:00 or two with .. between", clip(s))
		return
	}
	switch {
	case isRange:
		first2, last2, _, ok := p.instant(f, to)
		if !ok {
			p.problem(v.Span, nil, "%q is no time: write 7d, 2026-01-31, 2026-01-31T12:00 or two with .. between", clip(to))
			return
		}
		v.Lo, v.Hi = min(first, first2), max(last, last2)
		return
	case age:
		v.age(f, first)
		return
	}
	v.bounds(first, last)
}

// age sets the bounds from a length of time, at whose end lies t.
func (v *Value) age(f *Field, t int64) {
	op := v.Op
	if op == Is {
		op = LessEq
	}
	if !f.Ahead { // the less old, the later
		op = map[Op]Op{Less: More, LessEq: MoreEq, More: Less, MoreEq: LessEq}[op]
	}
	w := Value{Op: op}
	w.bounds(t, t)
	v.Lo, v.Hi = w.Lo, w.Hi
}

var layouts = []struct {
	layout string
	next   func(time.Time) time.Time
}{
	{time.RFC3339Nano, func(t time.Time) time.Time { return t.Add(time.Millisecond) }},
	{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
	{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
}

// instant is the first and the last millisecond of a time, or twice the end of a
// length of time.
func (p *parser) instant(f *Field, s string) (first, last int64, age, ok bool) {
	day := p.now.Truncate(24 * time.Hour)
	switch strings.ToLower(s) {
	case "now":
		return p.now.UnixMilli(), p.now.UnixMilli(), false, true
	case "today":
		return day.UnixMilli(), day.AddDate(0, 0, 1).UnixMilli() - 1, false, true
	case "yesterday":
		return day.AddDate(0, 0, -1).UnixMilli(), day.UnixMilli() - 1, false, true
	}
	if d, ok := length(s); ok {
		if f.Ahead {
			d = -d
		}
		t := p.now.UnixMilli() - d
		return t, t, true, true
	}
	for _, l := range layouts {
		t, err := time.Parse(l.layout, strings.Replace(strings.ToUpper(s), " ", "T", 1))
		if err == nil && t.Year() >= 1 && t.Year() < 10000 {
			t = t.Truncate(time.Millisecond)
			return t.UnixMilli(), l.next(t).UnixMilli() - 1, false, true
		}
	}
	return 0, 0, false, false
}

var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
}

// length reads 90s, 15m, 24h, 7d, 2w, 1y and sums of them, in milliseconds.
func length(s string) (int64, bool) {
	total := int64(0)
	for s != "" {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == 0 || i == len(s) {
			return 0, false
		}
		n, err := strconv.ParseInt(s[:i], 10, 32)
		unit, ok := units[strings.ToLower(s[i:i+1])]
		if err != nil || !ok {
			return 0, false
		}
		total += n * unit.Milliseconds()
		if total > 1000*units["y"].Milliseconds() {
			return 0, false
		}
		s = s[i+1:]
	}
	return total, total > 0
}

// seconds reads a length of time as a value: 30 or 30s, 5m, 1m..5m.
func (p *parser) seconds(v *Value) {
	s := v.text()
	from, to, isRange := strings.Cut(s, "..")
	lo, ok := span(from)
	hi, ok2 := lo, true
	if isRange {
		hi, ok2 = span(to)
	}
	switch {
	case !ok || !ok2:
		p.problem(v.Span, nil, "%q is no length of time: write 90s, 5m, 1h30m or two with .. between", clip(s))
	case isRange && v.Op != Is:
		p.problem(v.Span, nil, "%s and a range exclude each other", v.Op)
	case hi < lo:
		p.problem(v.Span, nil, "the range ends before it begins")
	case v.Op == Is && !isRange:
		v.Lo, v.Hi = lo, lo+999
	default:
		v.bounds(lo, hi)
	}
}

func span(s string) (int64, bool) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return int64(n) * 1000, true
	}
	return length(s)
}

// Bounded reports which ends of v are bounds.
func (v *Value) Bounded() (lo, hi bool) { return v.Lo != math.MinInt64, v.Hi != math.MaxInt64 }
