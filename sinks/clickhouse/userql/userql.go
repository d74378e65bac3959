// Package userql makes of a SELECT that somebody wrote one that cannot leave the views
// it is given.
//
// The query is taken apart into tokens and written anew from them. Numbers, texts and
// the signs of a short list are written as they are, keywords and functions when they
// stand in closed lists (words.go), and every other word gets Prefix in front, whatever
// it was meant to be: a table, a column, a database, a setting, a type. No table,
// database, table function or setting has a name that begins so. What is left to name
// are the views, whose names and columns begin with Prefix too, and what the query itself
// names. That does not depend on how the engine parses: a query that means something
// else than it seems still has nothing to name. Texts stand in parentheses, since the engine
// takes a bare one behind FROM for the name of a table.
//
// The result stands in parentheses that the query cannot close, of a statement that
// begins with our SELECT. A query that names what is not there, or makes no sense, is
// refused by the engine.
package userql

import (
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Prefix is what every name of a query gets.
const Prefix = "own__"

// Bounds of a query.
const (
	MaxBytes  = 16 << 10
	maxTokens = 4000
	maxDepth  = 60
)

// Query is a query that was rewritten.
type Query struct {
	SQL   string          // to stand in parentheses
	Names map[string]bool // every name in it, without Prefix
}

// Rewrite checks a query and writes it anew. Errors have the code invalid and say where.
func Rewrite(query string) (*Query, error) {
	if len(query) > MaxBytes {
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "query: more than %d bytes", MaxBytes)
	}
	tokens, err := lex(strings.TrimRight(query, "; \t\r\n"))
	if err != nil {
		return nil, err
	}
	if err := shape(tokens); err != nil {
		return nil, err
	}
	q := &Query{Names: map[string]bool{}}
	out := make([]string, len(tokens))
	for i, t := range tokens {
		called := i+1 < len(tokens) && tokens[i+1].text == "(" && tokens[i+1].kind == sign
		if out[i], err = q.write(t, called); err != nil {
			return nil, err
		}
	}
	q.SQL = strings.Join(out, " ")
	return q, nil
}

// write gives a token's text in the statement; called says that a parenthesis follows.
func (q *Query) write(t token, called bool) (string, error) {
	switch t.kind {
	case number, sign:
		return t.text, nil
	case text:
		// in parentheses: bare, the engine takes a text for the name of a table behind FROM
		return "('" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(t.text) + "')", nil
	case word:
		lower := strings.ToLower(t.text)
		if f := functions[lower]; called && f != "" {
			return f, nil
		}
		if k := keywords[lower]; k != "" {
			return k, nil
		}
		if called {
			return "", invalid(t.at, "there is no function %s here; docs/23-sql.md lists them", t.text)
		}
	case quoted:
		if called {
			return "", invalid(t.at, "a function stands without quotes")
		}
	}
	q.Names[t.text] = true
	return Prefix + t.text, nil
}

// shape checks what needs no meaning: it is a SELECT, and every parenthesis closes
// one of its own.
func shape(tokens []token) error {
	first := 0
	for first < len(tokens) && tokens[first].kind == sign && tokens[first].text == "(" {
		first++
	}
	if first == len(tokens) || tokens[first].kind != word || !strings.EqualFold(tokens[first].text, "SELECT") && !strings.EqualFold(tokens[first].text, "WITH") {
		return invalid(0, "a query begins with WITH or SELECT")
	}
	if len(tokens) > maxTokens {
		return pipeline.Errorf(pipeline.CodeTooLarge, "query: more than %d words and signs", maxTokens)
	}
	var open []token
	closes := map[string]string{")": "(", "]": "["}
	for _, t := range tokens {
		if t.kind != sign {
			continue
		}
		switch t.text {
		case "(", "[":
			if open = append(open, t); len(open) > maxDepth {
				return invalid(t.at, "more than %d parentheses in each other", maxDepth)
			}
		case ")", "]":
			if len(open) == 0 || open[len(open)-1].text != closes[t.text] {
				return invalid(t.at, "%s closes nothing", t.text)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return invalid(open[len(open)-1].at, "%s is not closed", open[len(open)-1].text)
	}
	return nil
}
