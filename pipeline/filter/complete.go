package filter

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stalker-asm/stalker/pipeline"
)

// Completion is what can be written at a place of a filter: Items replace what
// stands between From and To, counted in characters.
type Completion struct {
	From  int    `json:"from"`
	To    int    `json:"to"`
	Items []Item `json:"items"`
	// Field is the field whose values are asked for, when only the store knows them,
	// and Prefix how they begin.
	Field  *Field `json:"-"`
	Prefix string `json:"-"`
}

// Item is one proposal.
type Item struct {
	Text string `json:"text"`          // what to write
	Doc  string `json:"doc,omitempty"` // what it means
	Kind string `json:"kind"`          // term, value
}

// MaxItems is how many proposals there are at most.
const MaxItems = 50

// Complete proposes how a text can go on at a place, given in characters. It takes
// any text, also one that is no filter yet.
func Complete(kind pipeline.Kind, text string, at int, now time.Time) (Completion, error) {
	pos := byteOf(text, at)
	p, err := parse(kind, text[:pos], now) // what comes after does not matter
	if err != nil {
		return Completion{}, err
	}
	if p.text == "" {
		pos = 0
	}
	place := p.placeAt(pos)
	c := Completion{From: utf8.RuneCountInString(text[:place.From]), To: utf8.RuneCountInString(text[:place.To]), Items: []Item{}}
	typed := text[place.From:pos]
	switch {
	case place.key:
		c.terms(kind, typed)
	case place.field != nil:
		c.values(place.field, typed)
	}
	return c, nil
}

func byteOf(text string, at int) int {
	for i := range text {
		if at <= 0 {
			return i
		}
		at--
	}
	return len(text)
}

// placeAt is the place that ends at pos; when there is none, a term can begin.
func (p *parser) placeAt(pos int) place {
	for _, x := range slices.Backward(p.places) {
		if x.To == pos {
			return x
		}
	}
	return place{Span: Span{pos, pos}, key: true}
}

func (c *Completion) terms(kind pipeline.Kind, typed string) {
	var inner []Item
	for i := range tables[kind] {
		f := &tables[kind][i]
		item := Item{Text: f.Name + ":", Doc: f.Doc, Kind: "term"}
		if f.Type == Dynamic {
			item.Text = f.Name + "."
		}
		names := append([]string{f.Name}, f.Aliases...)
		switch {
		case slices.ContainsFunc(names, func(n string) bool { return hasPrefix(n, typed) }):
			c.Items = append(c.Items, item)
		case slices.ContainsFunc(names, func(n string) bool { return strings.Contains(strings.ToLower(n), strings.ToLower(typed)) }):
			inner = append(inner, item)
		}
	}
	c.Items = append(c.Items, inner...)
}

func (c *Completion) values(f *Field, typed string) {
	bare := strings.TrimLeft(typed, `"=`)
	for _, v := range f.Values {
		if hasPrefix(v, bare) {
			c.Items = append(c.Items, Item{Text: v, Kind: "value"})
		}
	}
	if typed == "" && f.Example != "" && len(c.Items) == 0 {
		c.Items = append(c.Items, Item{Text: f.Example, Doc: "for example", Kind: "value"})
	}
	if f.Facet && f.Type != Enum && !strings.ContainsAny(bare, "<>~*") {
		c.Field, c.Prefix = f, bare
	}
}

// Quote writes a text as a value.
func Quote(s string) string {
	v := Value{Pieces: []string{s}}
	if out := v.spelled(); valueSafe(out) {
		return out
	}
	return v.inQuotes()
}

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
