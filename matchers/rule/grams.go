package rule

// grams finds which of many short texts stand in a longer one.
type grams struct {
	rules   map[gram][]*Rule
	lengths []uint8
	filter  []uint64 // a bit for each gram, by hash: most places of a text are none
}

func (g *grams) finish() {
	if len(g.rules) == 0 {
		return
	}
	words := 16
	for words*64 < 32*len(g.rules) && words < 1<<14 {
		words *= 2
	}
	g.filter = make([]uint64, words)
	var have [maxGram + 1]bool
	for k := range g.rules {
		have[k.n] = true
		bit := k.hash() % uint64(64*words)
		g.filter[bit/64] |= 1 << (bit % 64)
	}
	for n, ok := range have {
		if ok {
			g.lengths = append(g.lengths, uint8(n))
		}
	}
}

func (k gram) hash() uint64 {
	h := (k.bytes ^ uint64(k.n)) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// hits appends the rules of every gram that stands in a text in lower case.
func (g *grams) hits(low []byte, out []*Rule) []*Rule {
	window := uint64(0)
	size := uint64(64 * len(g.filter))
	for i, c := range low {
		window = window<<8 | uint64(c)
		for _, n := range g.lengths {
			if int(n) > i+1 {
				break
			}
			k := gram{window & (1<<(8*n) - 1), n} // 1<<64 is 0: all bits
			bit := k.hash() % size
			if g.filter[bit/64]>>(bit%64)&1 != 0 {
				out = append(out, g.rules[k]...)
			}
		}
	}
	return out
}
