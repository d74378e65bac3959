package rule

import (
	"cmp"
	"maps"
	"slices"
	"unique"

	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

// maxProbes is up to how many postings of one project are asked one by one.
const maxProbes = 64

// probes are the rules of a project that has few of them, side by side: a batch of
// findings of one project, as a job sends it, waits for memory once. Those of one
// key stand together, and of these those about one variable.
type probes struct {
	keys []uint32 // the hash of the finding key of each
	list []probe
}

// probe is a posting in few bytes. Of a text it has the length and a hash: a hit says
// only that the rule may match.
type probe struct {
	name string
	word uint64 // hash, gram or network
	rule *Rule
	len  uint32 // of the text, or of the network
	kind postingKind
}

// newProbes returns nil for what has too many postings, or patterns of keys.
func newProbes(k *keyed) *probes {
	if len(k.wild) > 0 {
		return nil
	}
	p := &probes{}
	for _, key := range slices.Sorted(maps.Keys(k.exact)) {
		list := k.exact[key].probes()
		if len(p.list)+len(list) > maxProbes {
			return nil
		}
		p.list = append(p.list, list...)
		for range list {
			p.keys = append(p.keys, keyHash(key))
		}
	}
	return &probes{slices.Clip(p.keys), slices.Clip(p.list)}
}

func keyHash(key string) uint32 { return uint32(hashText(key)) }

func (b *bucket) probes() (out []probe) {
	for _, r := range b.rules {
		switch {
		case !r.Enabled:
		case len(r.access) == 0:
			out = append(out, probe{rule: r, kind: byNothing})
		default:
			for _, x := range cheapest(r.access, nil) {
				out = append(out, newProbe(&x, r))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b probe) int { return cmp.Compare(a.name, b.name) })
	return out
}

func newProbe(x *posting, r *Rule) probe {
	p := probe{name: unique.Make(x.name).Value(), rule: r, kind: x.kind, word: x.hash(), len: uint32(len(x.text))}
	switch x.kind {
	case byGram:
		p.word, p.len = x.gram.bytes, uint32(x.gram.n)
	case byNet:
		p.len = uint32(x.net.Bits())
	default: // the length of the text
	}
	return p
}

// candidates appends the rules that may match the finding, some perhaps twice.
func (p *probes) candidates(f *pipeline.Finding, out []*Rule) []*Rule {
	key := keyHash(f.Key)
	from := slices.Index(p.keys, key)
	if from < 0 {
		return out
	}
	var r reading
	var buf [maxLower]byte
	var low []byte // a text in lower case
	for i := from; i < len(p.keys) && p.keys[i] == key; i++ {
		x := &p.list[i]
		if x.kind == byNothing {
			out = append(out, x.rule)
			continue
		}
		if r.name != x.name {
			r = reading{name: x.name}
			if r.value, r.found = vars.Find(f, x.name); r.value.Kind() == vars.Text {
				low = lowered(buf[:0], r.value.Text())
			}
		}
		if r.found && r.hit(x, low) {
			out = append(out, x.rule)
		}
	}
	return out
}

// reading is the value of one variable.
type reading struct {
	name  string
	value vars.Value
	found bool
}

func (r *reading) hit(p *probe, low []byte) bool {
	k := r.value.Kind()
	switch {
	case p.kind == byBeing || k == vars.List || k == vars.Other:
		return true // what it is compared with piece by piece
	case p.kind == byNumber:
		return k != vars.Text && salted(byNumber, hashNumber(toNumber(&r.value))) == p.word
	case k != vars.Text:
		return false
	case p.kind == byDigits:
		return salted(byDigits, hashNumber(textNumber(r.value.Text()))) == p.word
	case p.kind == byNet:
		return r.within(p)
	default:
		return textHit(p, low)
	}
}

func (r *reading) within(p *probe) bool {
	n, err := address(r.value.Text())
	if err != nil || int(p.len) > n.Bits() {
		return false
	}
	w, err := n.Addr().Prefix(int(p.len))
	return err == nil && salted(byNet, hashNet(w)) == p.word
}

func textHit(p *probe, low []byte) bool {
	n := int(p.len)
	if p.kind == byDomain && len(low) > 0 && low[len(low)-1] == '.' {
		low = low[:len(low)-1]
	}
	if len(low) < n {
		return false
	}
	switch p.kind {
	case byText:
		return len(low) == n && salted(byText, hashText(low)) == p.word
	case byHead:
		return salted(byHead, hashText(low[:n])) == p.word
	case byTail:
		return salted(byTail, hashBack(low[len(low)-n:])) == p.word
	case byDomain:
		return (len(low) == n || low[len(low)-n-1] == '.') && salted(byDomain, hashBack(low[len(low)-n:])) == p.word
	default:
		return holdsGram(low, p)
	}
}

func holdsGram(low []byte, p *probe) bool {
	window, mask := uint64(0), uint64(1)<<(8*p.len)-1 // 1<<64 is 0: all bits
	for i, c := range low {
		if window = window<<8 | uint64(c); i+1 >= int(p.len) && window&mask == p.word {
			return true
		}
	}
	return false
}
