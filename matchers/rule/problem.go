package rule

import (
	"fmt"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Problem is one thing wrong with a document.
type Problem struct {
	Line    int    `json:"line"` // from 1; 0 when the document as a whole is meant
	Column  int    `json:"column"`
	Path    string `json:"path"` // as in conditions[2].operator
	Message string `json:"message"`
	// Expected is what may stand there, where that is one of a few things.
	Expected []string `json:"expected,omitempty"`
}

// String writes the problem as line:column: path: message.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Message
}

// Problems is every problem of a document, in the order of the text.
type Problems []Problem //nolint:errname // it reads as what it is: Problems of a document

// Error lists them, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, x := range p {
		lines[i] = x.String()
	}
	return strings.Join(lines, "\n")
}

// As lets pipeline.CodeOf see an invalid input.
func (p Problems) As(target any) bool {
	e, ok := target.(**pipeline.Error)
	if ok {
		*e = &pipeline.Error{Code: pipeline.CodeInvalid, Message: p.Error()}
	}
	return ok
}
