package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stalker-asm/stalker/pipeline"
)

// Problem is one thing wrong with a filter. From and To are positions in its text,
// counted in characters from 0.
type Problem struct {
	From        int      `json:"from"`
	To          int      `json:"to"`
	Message     string   `json:"message"`
	Suggestions []string `json:"suggestions,omitempty"` // what was probably meant, the likeliest first
}

// String writes the problem with its place, counted from 1 as people do.
func (p Problem) String() string {
	s := fmt.Sprintf("at %d: %s", p.From+1, p.Message)
	if len(p.Suggestions) > 0 {
		s += "; did you mean " + strings.Join(p.Suggestions, " or ") + "?"
	}
	return s
}

// Problems is everything wrong with a filter, in the order of the text.
type Problems []Problem //nolint:errname // it reads as what it is: Problems of a filter

// Error lists them.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, x := range p {
		lines[i] = x.String()
	}
	return "the filter is not understood: " + strings.Join(lines, "; ")
}

// As lets pipeline.CodeOf see an invalid input.
func (p Problems) As(target any) bool {
	e, ok := target.(**pipeline.Error)
	if ok {
		*e = &pipeline.Error{Code: pipeline.CodeInvalid, Message: p.Error()}
	}
	return ok
}

// problem notes what is wrong between two bytes of the text.
func (p *parser) problem(s Span, suggestions []string, format string, args ...any) {
	const most = 20 // more do not help anybody
	if len(p.problems) >= most || p.gaveUp {
		return
	}
	p.problems = append(p.problems, Problem{
		From: utf8.RuneCountInString(p.text[:s.From]), To: utf8.RuneCountInString(p.text[:s.To]),
		Message: fmt.Sprintf(format, args...), Suggestions: suggestions,
	})
}

// nearest returns the candidates that are likely meant by a word: those it begins,
// and those that are few edits away.
func nearest(word string, candidates []string) []string {
	const most = 3
	word = strings.ToLower(word)
	if len(word) > 64 {
		return nil
	}
	var out []string
	for limit := range 3 {
		for _, c := range candidates {
			if len(out) < most && distance(word, strings.ToLower(c)) == limit && limit <= (len(word)+1)/3 {
				out = append(out, c)
			}
		}
	}
	for _, c := range candidates {
		known := strings.HasPrefix(strings.ToLower(c), word) || strings.HasSuffix(strings.ToLower(c), "."+word)
		if len(out) == 0 && len(word) > 1 && known {
			out = append(out, c)
		}
	}
	return out
}

// distance is how many letters must be put in, taken out, changed or exchanged with
// their neighbour to make b of a.
func distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
