package manual

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// page is one rendered file. Sections are the parts under its headings, the first
// of them what stands before any.
type page struct {
	Name, Title string
	Body        template.HTML
	Sections    []section
}

type section struct{ Anchor, Title, text string }

func read(files fs.FS, name string) (*page, error) {
	source, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("manual: %w", err)
	}
	md := goldmark.New(
		goldmark.WithExtensions(extension.GFM),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(links{}, 100))),
	)
	doc := md.Parser().Parse(text.NewReader(source))
	var body bytes.Buffer
	if err := md.Renderer().Render(&body, source, doc); err != nil {
		return nil, fmt.Errorf("manual: %s: %w", name, err)
	}
	p := &page{Name: strings.TrimSuffix(name, ".md"), Body: template.HTML(body.String())} //nolint:gosec // our own pages; the renderer leaves raw HTML out
	p.divide(doc, source)
	return p, nil
}

// divide cuts the source at its headings.
func (p *page) divide(doc ast.Node, source []byte) {
	p.Title = p.Name
	at, current := 0, section{}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Lines().Len() == 0 {
			continue
		}
		line := h.Lines().At(0)
		title := strings.ReplaceAll(string(line.Value(source)), "`", "")
		if h.Level == 1 {
			p.Title = title
			continue
		}
		current.text = plain(source[at:line.Start])
		p.Sections = append(p.Sections, current)
		id, _ := h.AttributeString("id")
		anchor, _ := id.([]byte)
		at, current = line.Stop, section{Anchor: string(anchor), Title: title}
	}
	current.text = plain(source[at:])
	p.Sections = append(p.Sections, current)
}

var markup = regexp.MustCompile("\\]\\([^)]*\\)|[][`|#*]|-{3,}")

// plain is Markdown without its marks, to search in and to quote from.
func plain(source []byte) string {
	return strings.Join(strings.Fields(markup.ReplaceAllString(string(source), " ")), " ")
}

// links points links between pages to where the server shows them. A link to a file
// of the source tree becomes plain text: the server does not have it.
type links struct{}

// Transform is called by goldmark.
func (links) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	var away []*ast.Link
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function returns no error
		switch l := n.(type) {
		case *ast.Link:
			if entering && bytes.HasPrefix(l.Destination, []byte("../")) {
				away = append(away, l)
			} else if entering {
				l.Destination = []byte(target(string(l.Destination)))
			}
		case *ast.Image:
			if entering {
				l.Destination = []byte(target(string(l.Destination)))
			}
		}
		return ast.WalkContinue, nil
	})
	for _, l := range away {
		parent := l.Parent()
		for c := l.FirstChild(); c != nil; c = l.FirstChild() {
			parent.InsertBefore(parent, l, c)
		}
		parent.RemoveChild(parent, l)
	}
}

// target is where a relative link leads when the manual is served.
func target(to string) string {
	file, anchor, found := strings.Cut(to, "#")
	if file == "" || strings.Contains(file, ":") || strings.HasPrefix(file, "/") {
		return to
	}
	if file = Root + strings.TrimSuffix(file, ".md"); found {
		file += "#" + anchor
	}
	return file
}
