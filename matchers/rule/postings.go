package rule

import (
	"math"
	"net/netip"
	"regexp/syntax"
	"strings"

	"github.com/stalker-asm/stalker/matchers/vars"
)

// A posting is a place in the index where a rule is found: "the variable name has
// this value". A rule stands in the index under the postings of one of its
// conditions, so that whenever that condition holds, one of them is hit. A hit says
// that the rule may match, not that it does.
type posting struct {
	name string // of the variable
	kind postingKind
	text string       // in lower case
	num  float64      // numbers
	net  netip.Prefix // networks
	gram gram         // grams
}

type postingKind uint8

const (
	byText    postingKind = iota // the value is this text, without regard to case
	byNumber                     // the value, no text, is this number
	byDigits                     // the value is a text that reads as this number
	byHead                       // the value is a text that begins so
	byTail                       // the value is a text that ends so
	byGram                       // the value is a text with these bytes in it
	byDomain                     // the value is this domain or one below
	byNet                        // the value is an address or network in this one
	byBeing                      // the variable means something
	byNothing                    // of any finding
)

// maxPostings bounds how often one rule stands in the index; one with longer lists
// is looked at for every finding of its keys instead.
const maxPostings = 1000

// access lists the ways in which a condition lets a rule be found, each complete in
// itself. None means that the rule has to be looked at for every finding.
func (n *node) access() [][]posting {
	switch n.junction {
	case "and":
		var all [][]posting
		for i := range n.children {
			all = append(all, n.children[i].access()...)
		}
		return all
	case "or":
		var union []posting
		for i := range n.children {
			if n.children[i].empty() {
				continue // it counts as false
			}
			ways := n.children[i].access()
			if len(ways) == 0 {
				return nil
			}
			union = append(union, cheapest(ways, nil)...)
		}
		return way(union)
	default:
		return way(n.postings())
	}
}

func way(list []posting) [][]posting {
	if len(list) == 0 || len(list) > maxPostings {
		return nil
	}
	return [][]posting{list}
}

// cheapest picks the way that is expected to be hit least often. counts says how
// many rules could stand under each posting.
func cheapest(ways [][]posting, counts map[posting]int) []posting {
	var best []posting
	least := math.Inf(1)
	for _, w := range ways {
		cost := 0.0
		for _, p := range w {
			cost += p.breadth() * float64(1+counts[p])
		}
		if cost < least {
			best, least = w, cost
		}
	}
	return best
}

// breadth guesses which share of findings hits a posting.
func (p *posting) breadth() float64 {
	switch {
	case p.name == "protocol" || p.name == "ssl" || p.name == "type" || p.name == "key" || p.name == "path" && p.text == "/":
		return 50
	case p.kind == byBeing:
		return 20
	case p.kind == byGram, p.kind == byHead || p.kind == byTail && len(p.text) < 3:
		return 4
	case p.kind == byNet:
		return 1 + float64(max(0, 24-p.net.Bits()))
	case p.text != "":
		return 1 + 4/float64(len(p.text)) // of "http" there are more than of "Apache Tomcat/9.0.31"
	default:
		return 1.5
	}
}

// postings of a comparison of one variable with literals, nil for anything else.
// What a variable that means nothing, and so is "", could satisfy is nothing to
// find a finding by.
func (n *node) postings() []posting {
	name, ok := n.left.Variable()
	if !ok || n.op.not {
		return nil
	}
	if n.op.base == exists {
		return []posting{{name: name, kind: byBeing}}
	}
	if !n.right.Literal() {
		return nil
	}
	right := n.right.Eval(nothing)
	switch n.op.base {
	case inCIDR:
		return n.networkPostings(name)
	case subdomainOf:
		return n.domainPostings(name)
	case matches:
		return patternPostings(name, &right, n.op.fold)
	case equals, startsWith, endsWith, contains, in:
		return n.literalPostings(name, &right)
	default:
		return nil
	}
}

func (n *node) literalPostings(name string, right *vars.Value) (list []posting) {
	several := right.Len()
	if n.op.base != in && !n.op.or {
		several = min(several, 1) // all must hold, so it is found by the first
	}
	for i := range several {
		p, ok := n.op.literal(name, right.At(i))
		if !ok {
			return nil
		}
		list = append(list, p...)
	}
	return list
}

func (o *operator) literal(name string, v *vars.Value) (list []posting, ok bool) {
	isText := v.Kind() == vars.Text
	lower := strings.ToLower(v.Text())
	switch {
	case o.base == startsWith && lower != "":
		return []posting{{name: name, kind: byHead, text: lower}}, true
	case o.base == endsWith && lower != "":
		return []posting{{name: name, kind: byTail, text: lower}}, true
	case o.base == contains && len(lower) >= minGram:
		return []posting{{name: name, kind: byGram, gram: rarest(lower)}}, true
	case o.base != equals && o.base != in || !scalar(v):
		return nil, false
	}
	if isText {
		list = append(list, posting{name: name, kind: byText, text: lower})
	}
	if o.fold {
		return list, isText && lower != ""
	}
	x := toNumber(v)
	if x == 0 {
		return nil, false
	}
	if !math.IsNaN(x) {
		list = append(list, posting{name: name, kind: byNumber, num: x})
		if !isText {
			list = append(list, posting{name: name, kind: byDigits, num: x})
		}
	}
	return list, true
}

func (n *node) networkPostings(name string) (list []posting) {
	for _, p := range n.set.networks {
		list = append(list, posting{name: name, kind: byNet, net: p})
	}
	return list
}

func (n *node) domainPostings(name string) (list []posting) {
	for _, d := range n.set.domains {
		list = append(list, posting{name: name, kind: byDomain, text: d})
	}
	return list
}

func patternPostings(name string, right *vars.Value, fold bool) (list []posting) {
	for i := range right.Len() {
		e := right.At(i)
		if e.Kind() != vars.Text {
			return nil
		}
		tree, err := syntax.Parse(e.Text(), syntax.Perl)
		if err != nil {
			return nil
		}
		lit := required(tree.Simplify(), fold)
		if len(lit) < minGram {
			return nil
		}
		list = append(list, posting{name: name, kind: byGram, gram: rarest(lit)})
	}
	return list
}

// required returns the longest ASCII text, in lower case, without which a pattern
// finds nothing, or "".
func required(r *syntax.Regexp, fold bool) string {
	switch r.Op {
	case syntax.OpLiteral:
		return longest(strings.ToLower(string(r.Rune)), fold || r.Flags&syntax.FoldCase != 0)
	case syntax.OpCapture, syntax.OpPlus:
		return required(r.Sub[0], fold)
	case syntax.OpConcat:
		best := ""
		for _, sub := range r.Sub {
			if s := required(sub, fold); len(s) > len(best) {
				best = s
			}
		}
		return best
	default:
		return ""
	}
}

// longest returns the longest piece of a text that lower case compares right:
// regular expressions fold ſ to s and the Kelvin sign to k as well.
func longest(s string, fold bool) (best string) {
	for _, piece := range strings.FieldsFunc(s, func(c rune) bool { return c >= 0x80 || fold && (c == 's' || c == 'k') }) {
		if len(piece) > len(best) {
			best = piece
		}
	}
	return best
}

// gram is up to eight bytes of a text in lower case, the last in the lowest place.
type gram struct {
	bytes uint64
	n     uint8
}

const (
	minGram = 3
	maxGram = 8
)

// rarest picks the piece of a text that few other texts are expected to have.
func rarest(s string) (best gram) {
	n := min(len(s), maxGram)
	least := math.MaxInt
	for i := 0; i+n <= len(s); i++ {
		common, bytes := 0, uint64(0)
		for _, c := range []byte(s[i : i+n]) {
			bytes = bytes<<8 | uint64(c)
			switch {
			case strings.IndexByte("etaoinsrhl./-", c) >= 0:
				common += 3
			case c >= 'a' && c <= 'z' || c == ' ':
				common++
			}
		}
		if common < least {
			best, least = gram{bytes, uint8(n)}, common
		}
	}
	return best
}
