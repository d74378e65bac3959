package userql

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestRewrite(t *testing.T) {
	for q, want := range map[string]string{
		"select a.b from system.tables as t": "SELECT own__a . own__b FROM own__system . own__tables AS own__t",
		`SELECT "from", COUNT (*) FROM x;`:   "SELECT own__from , count ( * ) FROM own__x",
		"SELECT 'a''b\\\\' -- c":             `SELECT ('a\'b\\')`,
		"SELECT * FROM 'logs' JOIN 'x'":      "SELECT * FROM ('logs') JOIN ('x')", // which is no name of a table
		"SELECT - -1 /* -- */ + 2.5e3":       "SELECT - - 1 + 2.5e3",
		"SELECT count, any(x) ANY":           "SELECT own__count , any ( own__x ) ANY",
	} {
		got, err := Rewrite(q)
		if err != nil || got.SQL != want {
			t.Errorf("%s\n%+v, %v\nwant %s", q, got, err, want)
		}
	}
	for q, want := range map[string]string{
		"":                     "begins with WITH or SELECT",
		"((":                   "begins with WITH or SELECT",
		"SELECT 1)":            "closes nothing",
		"SELECT [1)":           "closes nothing",
		"SELECT (1":            "is not closed",
		"SELECT url('x')":      "no function url",
		`SELECT "count"(1)`:    "without quotes",
		"SELECT 1; SELECT 2":   "no place here",
		"SELECT {a:UInt8}":     "no place here",
		"SELECT '\x00'":        "zero bytes",
		`SELECT '\x41'`:        "escapes",
		"SELECT 1e":            "goes on as a word",
		"SELECT 'a":            "does not end",
		"SELECT 0x10":          "goes on as a word",
		"SELECT \"a.b\"":       "letters, digits",
		"SELECT a\u00a0FROM b": "no place here",
	} {
		if _, err := Rewrite(q); err == nil || !strings.Contains(err.Error(), want) || pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("%q: %v, want %q", q, err, want)
		}
	}
	if _, err := Rewrite("SELECT " + strings.Repeat("1,", MaxBytes)); pipeline.CodeOf(err) != pipeline.CodeTooLarge {
		t.Errorf("a long one: %v", err)
	}
}

// outside is a statement without its texts, as any lexer reads it: a backslash takes
// the next byte along.
var outside = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.)*'`)

// closed reports what of a rewritten query could name something.
func closed(sql string) (stray []string) {
	rest := outside.ReplaceAllString(sql, "''")
	words := strings.Split(rest, " ")
	for i, w := range words {
		switch {
		case w == "('')", strings.HasPrefix(w, Prefix) && wordForm.FindString(w) == w, numberForm.FindString(w) == w && w != "":
		case keywords[strings.ToLower(w)] == w && w != "":
		case functions[strings.ToLower(w)] == w && w != "" && i+1 < len(words) && words[i+1] == "(":
		case strings.Contains(" -> || == != <> <= >= + - * / = < > ( ) [ ] , . ? : ", " "+w+" "):
		default:
			stray = append(stray, w)
		}
	}
	return stray
}

func checkClosed(t *testing.T, query string) {
	t.Helper()
	got, err := Rewrite(query)
	if err != nil {
		return
	}
	if stray := closed(got.SQL); stray != nil {
		t.Errorf("%q\nbecomes %q\nin which %q is none of ours", query, got.SQL, stray)
	}
	depth := 0
	for _, r := range outside.ReplaceAllString(got.SQL, "") {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 {
			t.Fatalf("%q closes what is not its own: %q", query, got.SQL)
		}
	}
}

// TestNothingElseCanBeNamed puts pieces that mean something to the engine together in
// every way.
func TestNothingElseCanBeNamed(t *testing.T) {
	pieces := []string{
		"SELECT", "FROM", "system", ".", "tables", "(", ")", "'", "''", `\`, `\'`, `"`, "`", "--", "/*", "*/", "\n", ";", "SETTINGS", "FORMAT", "INTO OUTFILE",
		"url", "file(", "count(", "IN", "$$", "$x$", "{a:String}", "@@", "#", "1", "1.", ".5", "e5", "::", "->", "AS", "x", " ", "\u00a0", "\x00", "\\x41", "é", "WITH", "[", "]", "0x1", "-",
	}
	r := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range 15_000 {
		var b strings.Builder
		b.WriteString("SELECT ")
		for range 1 + r.IntN(9) {
			b.WriteString(pieces[r.IntN(len(pieces))])
			if r.IntN(2) == 0 {
				b.WriteByte(' ')
			}
		}
		checkClosed(t, b.String())
		if _, err := Rewrite(b.String()); err == nil {
			taken++
		}
	}
	if taken < 100 {
		t.Errorf("only %d were taken: the test says nothing", taken)
	}
}

func FuzzRewrite(f *testing.F) {
	for _, s := range []string{"SELECT 1", "WITH x AS (SELECT 'a\\'b') SELECT * FROM x -- y", "SELECT \"a\".`b` /* */"} {
		f.Add(s)
	}
	f.Fuzz(checkClosed)
}
