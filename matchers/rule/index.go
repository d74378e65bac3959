package rule

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"unique"

	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

// bucket is the rules of one project (or of every project) that react to one finding
// key. It is immutable.
type bucket struct {
	always []*Rule          // those that are looked at for every finding
	paths  []*path          // the others, by variable
	byName map[string]*path // the same
	rules  []*Rule          // all, in the order of their ids
}

// path is the part of an index that one variable leads to.
type path struct {
	name         string
	texts        map[string][]*Rule
	numbers      map[float64][]*Rule
	digits       map[float64][]*Rule
	heads, tails affixes
	grams        grams
	domains      map[string][]*Rule
	nets         map[netip.Prefix][]*Rule
	bits4, bits6 []int // lengths of nets
	being        []*Rule
	known        filter // of the values above, except grams
	values       []uint64
}

// affixes are beginnings or ends of texts, by length.
type affixes struct {
	lengths []int
	rules   map[string][]*Rule
}

// fewPaths is up to how many variables are looked up in a finding; with more, what
// the finding has is looked up among them.
const fewPaths = 12

func newBucket(rules []*Rule) *bucket {
	b := &bucket{rules: rules, byName: map[string]*path{}}
	counts := map[posting]int{}
	for _, r := range rules {
		if !r.Enabled {
			continue
		}
		for _, w := range r.access {
			for _, p := range w {
				counts[p]++
			}
		}
	}
	for _, r := range rules {
		switch {
		case !r.Enabled:
		case len(r.access) == 0:
			b.always = append(b.always, r)
		default:
			for _, p := range cheapest(r.access, counts) {
				b.path(p.name).post(p, r)
			}
		}
	}
	for _, p := range b.paths {
		p.finish()
	}
	return b
}

func (b *bucket) path(name string) *path {
	p := b.byName[name]
	if p == nil {
		p = &path{name: unique.Make(name).Value()}
		b.byName[name] = p
		b.paths = append(b.paths, p)
	}
	return p
}

func put[K comparable](m *map[K][]*Rule, key K, r *Rule) {
	if *m == nil {
		*m = map[K][]*Rule{}
	}
	if list := (*m)[key]; len(list) == 0 || list[len(list)-1] != r {
		(*m)[key] = append(list, r)
	}
}

func (p *path) post(x posting, r *Rule) {
	if x.kind != byGram && x.kind != byBeing {
		p.values = append(p.values, x.hash())
	}
	switch x.kind {
	case byText:
		put(&p.texts, x.text, r)
	case byNumber:
		put(&p.numbers, x.num, r)
	case byDigits:
		put(&p.digits, x.num, r)
	case byHead:
		put(&p.heads.rules, x.text, r)
	case byTail:
		put(&p.tails.rules, x.text, r)
	case byGram:
		put(&p.grams.rules, x.gram, r)
	case byDomain:
		put(&p.domains, x.text, r)
	case byNet:
		put(&p.nets, x.net, r)
	case byBeing:
		p.being = append(p.being, r)
	case byNothing: // of probes only
	}
}

func (p *path) finish() {
	p.heads.finish()
	p.tails.finish()
	p.grams.finish()
	p.known = newFilter(len(p.values))
	for _, h := range p.values {
		p.known.add(h)
	}
	p.values = nil
	for n := range p.nets {
		if n.Addr().Is4() {
			p.bits4 = append(p.bits4, n.Bits())
		} else {
			p.bits6 = append(p.bits6, n.Bits())
		}
	}
	for _, bits := range []*[]int{&p.bits4, &p.bits6} {
		slices.Sort(*bits)
		*bits = slices.Compact(*bits)
	}
}

func (a *affixes) finish() {
	for s := range a.rules {
		a.lengths = append(a.lengths, len(s))
	}
	slices.Sort(a.lengths)
	a.lengths = slices.Compact(a.lengths)
}

// candidates appends the rules that may match the finding, some perhaps twice.
func (b *bucket) candidates(f *pipeline.Finding, out []*Rule) []*Rule {
	out = append(out, b.always...)
	if len(b.paths) <= fewPaths {
		for _, p := range b.paths {
			if v, ok := vars.Find(f, p.name); ok {
				out = p.hits(&v, out)
			}
		}
		return out
	}
	for _, name := range vars.Natives() {
		out = b.along(name, f, out)
	}
	for i := range f.Fields {
		var buf [maxLower]byte
		if name, ok := lower(buf[:0], f.Fields[i].Key); ok {
			out = b.alongBytes(name, f, out)
		} else {
			out = b.along(strings.ToLower(f.Fields[i].Key), f, out)
		}
	}
	return out
}

func (b *bucket) along(name string, f *pipeline.Finding, out []*Rule) []*Rule {
	p := b.byName[name]
	if p == nil {
		return out
	}
	if v, ok := vars.Find(f, name); ok {
		out = p.hits(&v, out)
	}
	return out
}

func (b *bucket) alongBytes(name []byte, f *pipeline.Finding, out []*Rule) []*Rule {
	if p := b.byName[string(name)]; p != nil { // does not copy the name
		return b.along(p.name, f, out)
	}
	return out
}

func (p *path) hits(v *vars.Value, out []*Rule) []*Rule {
	out = append(out, p.being...)
	switch v.Kind() {
	case vars.Text:
		return p.textHits(v.Text(), out)
	case vars.List, vars.Other:
		return p.all(out) // what it is compared with piece by piece
	default:
		if x := toNumber(v); p.numbers != nil && p.known.may(salted(byNumber, hashNumber(x))) {
			out = append(out, p.numbers[x]...)
		}
		return out
	}
}

// all appends every rule of the path.
func (p *path) all(out []*Rule) []*Rule {
	out = gather(p.texts, out)
	out = gather(p.numbers, out)
	out = gather(p.digits, out)
	out = gather(p.heads.rules, out)
	out = gather(p.tails.rules, out)
	out = gather(p.grams.rules, out)
	out = gather(p.domains, out)
	return gather(p.nets, out)
}

func gather[K comparable](m map[K][]*Rule, out []*Rule) []*Rule {
	for _, list := range m {
		out = append(out, list...)
	}
	return out
}

func (p *path) textHits(s string, out []*Rule) []*Rule {
	if p.digits != nil {
		if x := textNumber(s); p.known.may(salted(byDigits, hashNumber(x))) {
			out = append(out, p.digits[x]...)
		}
	}
	if p.nets != nil {
		out = p.netHits(s, out)
	}
	if p.texts == nil && p.heads.rules == nil && p.tails.rules == nil && p.grams.rules == nil && p.domains == nil {
		return out
	}
	var buf [maxLower]byte
	low := lowered(buf[:0], s)
	if p.texts != nil || p.heads.rules != nil {
		out = p.forward(low, out)
	}
	if p.tails.rules != nil {
		out = p.backward(low, out)
	}
	if p.grams.rules != nil {
		out = p.grams.hits(low, out)
	}
	if p.domains != nil {
		out = p.domainHits(low, out)
	}
	return out
}

// forward finds what begins so and what is so, in one go from the start.
func (p *path) forward(low []byte, out []*Rule) []*Rule {
	lengths, h := p.heads.lengths, uint64(hashStart)
	for i, c := range low {
		if p.texts == nil && len(lengths) == 0 {
			return out
		}
		h = hashByte(h, c)
		if len(lengths) > 0 && lengths[0] == i+1 {
			lengths = lengths[1:]
			if p.known.may(salted(byHead, mixed(h))) {
				out = append(out, p.heads.rules[string(low[:i+1])]...)
			}
		}
	}
	if p.texts != nil && p.known.may(salted(byText, mixed(h))) {
		out = append(out, p.texts[string(low)]...)
	}
	return out
}

func (p *path) backward(low []byte, out []*Rule) []*Rule {
	lengths, h := p.tails.lengths, uint64(hashStart)
	for i := len(low) - 1; i >= 0 && len(lengths) > 0; i-- {
		h = hashByte(h, low[i])
		if lengths[0] == len(low)-i {
			lengths = lengths[1:]
			if p.known.may(salted(byTail, mixed(h))) {
				out = append(out, p.tails.rules[string(low[i:])]...)
			}
		}
	}
	return out
}

func (p *path) domainHits(name []byte, out []*Rule) []*Rule {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	h := uint64(hashStart)
	for i, c := range slices.Backward(name) {
		h = hashByte(h, c)
		if (i == 0 || name[i-1] == '.') && p.known.may(salted(byDomain, mixed(h))) {
			out = append(out, p.domains[string(name[i:])]...)
		}
	}
	return out
}

func (p *path) netHits(s string, out []*Rule) []*Rule {
	n, err := address(s)
	if err != nil {
		return out
	}
	lengths := p.bits6
	if n.Addr().Is4() {
		lengths = p.bits4
	}
	for _, bits := range lengths {
		if bits > n.Bits() {
			break
		}
		w, _ := n.Addr().Prefix(bits) // it fits
		if p.known.may(salted(byNet, hashNet(w))) {
			out = append(out, p.nets[w]...)
		}
	}
	return out
}

// maxLower is the length of texts that are lowered without an allocation.
const maxLower = 256

// lower appends s in lower case; ok is false when it is long or not ASCII.
func lower(to []byte, s string) (_ []byte, ok bool) {
	if len(s) > cap(to) {
		return nil, false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 {
			return nil, false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to, true
}

// lowered is lower that allocates for long texts and those that are not ASCII.
func lowered(to []byte, s string) []byte {
	if low, ok := lower(to, s); ok {
		return low
	}
	return []byte(strings.ToLower(s))
}

// tidy orders rules by id and removes repetitions.
func tidy(list []*Rule) []*Rule {
	if len(list) < 2 {
		return list
	}
	slices.SortFunc(list, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	return slices.Compact(list)
}
