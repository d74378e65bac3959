package userql

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/stalker-asm/stalker/pipeline"
)

// kind says what a token is.
type kind int

const (
	word   kind = iota // a keyword, a function or a name
	quoted             // a name in quotes, which is never a keyword
	number
	text
	sign
)

// token is one piece of a query; text is what it means, without quotes.
type token struct {
	kind kind
	text string
	at   int // byte it begins at
}

var (
	wordForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	numberForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`)
	// the longer before those they begin with
	signs = strings.Fields(`-> || == != <> <= >= + - * / = < > ( ) [ ] , . ? :`)
)

// escapes are what may follow a backslash in a text.
var escapes = map[byte]string{'\\': `\`, '\'': `'`, 'n': "\n", 't': "\t", 'r': "\r", '%': `\%`, '_': `\_`}

func invalid(at int, format string, args ...any) error {
	return pipeline.Errorf(pipeline.CodeInvalid, "query, position %d: "+format, append([]any{at + 1}, args...)...)
}

// lex takes a query apart. What it does not know is an error.
func lex(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		rest := s[i:]
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.HasPrefix(rest, "--"):
			i += until(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			i += until(rest, "*/")
		case c == '\'':
			value, n, err := textAt(s, i)
			if err != nil {
				return nil, err
			}
			out, i = append(out, token{text, value, i}), i+n
		case c == '"' || c == '`':
			name := wordForm.FindString(rest[1:])
			if name == "" || len(rest) < len(name)+2 || rest[len(name)+1] != c {
				return nil, invalid(i, "a name in quotes has letters, digits and _ only")
			}
			out, i = append(out, token{quoted, name, i}), i+len(name)+2
		default:
			t, err := plain(rest, i)
			if err != nil {
				return nil, err
			}
			out, i = append(out, t), i+len(t.text)
		}
	}
	return out, nil
}

// plain reads a word, a number or a sign.
func plain(rest string, i int) (token, error) {
	if w := wordForm.FindString(rest); w != "" {
		return token{word, w, i}, nil
	}
	if n := numberForm.FindString(rest); n != "" {
		if wordForm.MatchString(rest[len(n):]) {
			return token{}, invalid(i, "a number goes on as a word")
		}
		return token{number, n, i}, nil
	}
	for _, x := range signs {
		if strings.HasPrefix(rest, x) {
			return token{sign, x, i}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, invalid(i, "%q has no place here", r)
}

// until is how many bytes there are to the end of a comment.
func until(s, end string) int {
	if j := strings.Index(s[2:], end); j >= 0 {
		return 2 + j + len(end)
	}
	return len(s)
}

// textAt reads the text that begins at i, and says how long it is with its quotes.
func textAt(s string, i int) (value string, n int, err error) {
	var b strings.Builder
	for j := i + 1; j < len(s); j++ {
		switch c := s[j]; {
		case c == '\'' && j+1 < len(s) && s[j+1] == '\'':
			b.WriteByte('\'')
			j++
		case c == '\'':
			return b.String(), j + 1 - i, nil
		case c == '\\':
			if j++; j == len(s) || escapes[s[j]] == "" {
				return "", 0, invalid(j-1, `only \\ \' \n \t \r \%% \_ are escapes in a text`)
			}
			b.WriteString(escapes[s[j]])
		case c == 0:
			return "", 0, invalid(j, "a text has no zero bytes")
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, invalid(i, "this text does not end")
}
