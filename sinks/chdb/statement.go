package chdb

import (
	"regexp"
	"strings"
)

// Error codes of ClickHouse that this package gives itself.
const (
	codeNotImplemented = 48
	codeSyntax         = 62
	codeAccessDenied   = 497
	codeTooLarge       = 261
	codeCancelled      = 394
	codeBadRequest     = 36
	codeUnknown        = 1002
)

// refusal is a statement this engine does not run, and why.
type refusal struct {
	code   int
	reason string
}

// judge decides whether a statement may run: one at a time, reading or writing
// tables, reaching no file. The engine's own parser says what it is; what the
// parser counts as an ordinary write although it reads a file is found by its
// word.
func judge(a analysis, sql string) *refusal {
	switch {
	case class(a.class) == classUnknown:
		return &refusal{codeSyntax, "the statement does not parse"}
	case a.statements != 1:
		return &refusal{codeSyntax, "one statement at a time"}
	case class(a.class) == classGlobal:
		return &refusal{codeAccessDenied, "users, functions and other things outside a database cannot be changed here"}
	case class(a.class) == classControl:
		return &refusal{codeAccessDenied, "session, server and file statements are not served here"}
	case hasWord(sql, "INFILE"):
		return &refusal{codeAccessDenied, "files cannot be read here"}
	default:
		return nil
	}
}

// hasWord reports whether sql holds the bare word (upper case) outside of
// strings, quoted names, heredocs and comments.
func hasWord(sql, word string) bool { //nolint:unparam // the word is what its tests vary
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"' || c == '`':
			i = skipQuoted(sql, i)
		case c == '$':
			i = skipHeredoc(sql, i)
		case strings.HasPrefix(sql[i:], "--"), strings.HasPrefix(sql[i:], "# "), strings.HasPrefix(sql[i:], "#!"):
			i = skipTo(sql, i, "\n")
		case strings.HasPrefix(sql[i:], "/*"):
			i = skipTo(sql, i+2, "*/")
		case isWordByte(c):
			j := i
			for j < len(sql) && isWordByte(sql[j]) {
				j++
			}
			if strings.EqualFold(sql[i:j], word) {
				return true
			}
			i = j
		default:
			i++
		}
	}
	return false
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// skipQuoted returns the position after the quoted text that begins at i. A quote
// is escaped by a backslash; a doubled one reads as two texts, which is the same
// here.
func skipQuoted(sql string, i int) int {
	q := sql[i]
	for i++; i < len(sql); i++ {
		switch sql[i] {
		case '\\':
			i++
		case q:
			return i + 1
		}
	}
	return len(sql)
}

func skipHeredoc(sql string, i int) int {
	end := i + 1
	for end < len(sql) && isWordByte(sql[end]) {
		end++
	}
	if end >= len(sql) || sql[end] != '$' {
		return i + 1
	}
	return skipTo(sql, end+1, sql[i:end+1])
}

func skipTo(sql string, i int, end string) int {
	if j := strings.Index(sql[i:], end); j >= 0 {
		return i + j + len(end)
	}
	return len(sql)
}

var (
	insertForm = regexp.MustCompile(`(?is)^\s*INSERT\s`)
	selectForm = regexp.MustCompile(`(?is)^(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|WITH)\b`)
	formatForm = regexp.MustCompile(`(?is)\sFORMAT\s+(\w+)\s*;?\s*$`)
	codeForm   = regexp.MustCompile(`Code:\s*(\d+)\.`)
)

// streamable are the formats whose pieces can be put one after the other: the
// engine makes each piece of a stream a document of its own, so those with a
// header or a footer would repeat it.
func streamable(format string) bool {
	switch strings.ToLower(format) {
	case "native", "rowbinary", "tabseparated", "tsv", "csv", "jsoneachrow", "jsoncompacteachrow":
		return true
	default:
		return false
	}
}
