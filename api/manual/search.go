package manual

import (
	"strings"
	"unicode/utf8"
)

// hit is a section that holds every word of a search.
type hit struct {
	Page    *page
	Section section
	Excerpt string
}

// Bounds of one search.
const (
	maxQuery   = 200
	maxHits    = 50
	beforeWord = 80
	afterWord  = 160
)

// search returns the sections that hold every word of the query, in any case, in
// the order of the manual.
func (m *Manual) search(query string) []hit {
	words := strings.Fields(strings.ToLower(query[:min(len(query), maxQuery)]))
	var hits []hit
	for _, p := range m.pages {
		for _, s := range p.Sections {
			if at := holds(strings.ToLower(p.Title+"\n"+s.Title+"\n"+s.text), words); at && len(hits) < maxHits {
				hits = append(hits, hit{p, s, excerpt(s.text, words[0])})
			}
		}
	}
	return hits
}

func holds(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return len(words) > 0
}

// excerpt is the text around the first place of a word, without broken characters.
func excerpt(text, word string) string {
	at := max(strings.Index(strings.ToLower(text), word), 0)
	from, to := max(at-beforeWord, 0), min(at+afterWord, len(text))
	for from > 0 && from < len(text) && !utf8.RuneStart(text[from]) {
		from--
	}
	return strings.ToValidUTF8(text[min(from, to):to], "")
}
