package rule

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// filter says of most values that no rule asks for them, out of few bytes that stay
// in the processor's caches, where maps of all rules do not. Its length is a power of
// two.
type filter []uint64

// filterBits is how many bits there are for a value: one in filterBits other values
// is thought to be known.
const filterBits = 32

func newFilter(values int) filter {
	if values == 0 {
		return nil
	}
	words := 1
	for words*64 < filterBits*values && words < 1<<16 {
		words *= 2
	}
	return make(filter, words)
}

func (f filter) add(h uint64) {
	bit := h >> 7 & uint64(64*len(f)-1)
	f[bit/64] |= 1 << (bit & 63)
}

// may reports whether the value was added, or, seldom, was not.
func (f filter) may(h uint64) bool {
	bit := h >> 7 & uint64(64*len(f)-1)
	return f[bit/64]>>(bit&63)&1 != 0
}

// Hashes are FNV-1a with its ends mixed: a text's can be made byte by byte, from
// either end, and so that of all its beginnings in one go.
const (
	hashStart = 0xcbf29ce484222325
	hashPrime = 0x100000001b3
)

func hashByte(h uint64, c byte) uint64 { return (h ^ uint64(c)) * hashPrime }

func mixed(h uint64) uint64 {
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func hashText[T string | []byte](s T) uint64 {
	h := uint64(hashStart)
	for i := range len(s) {
		h = hashByte(h, s[i])
	}
	return mixed(h)
}

// hashBack hashes a text from its end.
func hashBack[T string | []byte](s T) uint64 {
	h := uint64(hashStart)
	for i := len(s) - 1; i >= 0; i-- {
		h = hashByte(h, s[i])
	}
	return mixed(h)
}

// salted keeps values apart that are asked for in different ways.
func salted(k postingKind, h uint64) uint64 { return h ^ uint64(k+1)*0xd6e8feb86659fd93 }

// hash is what a filter knows the posting by.
func (p *posting) hash() uint64 {
	switch p.kind {
	case byText, byHead:
		return salted(p.kind, hashText(p.text))
	case byTail, byDomain:
		return salted(p.kind, hashBack(p.text))
	case byNumber, byDigits:
		return salted(p.kind, hashNumber(p.num))
	case byNet:
		return salted(p.kind, hashNet(p.net))
	case byGram:
		return salted(p.kind, p.gram.hash())
	default:
		return 0
	}
}

func hashNet(n netip.Prefix) uint64 {
	if n.Addr().Is4() {
		a := n.Addr().As4()
		return mixed(uint64(binary.BigEndian.Uint32(a[:]))<<8 | uint64(n.Bits()))
	}
	a := n.Addr().As16()
	return mixed(binary.BigEndian.Uint64(a[:8])*hashPrime ^ binary.BigEndian.Uint64(a[8:]) ^ uint64(n.Bits()))
}

func hashNumber(x float64) uint64 {
	if x == 0 {
		x = 0 // -0 equals 0
	}
	return mixed(math.Float64bits(x) ^ hashStart)
}
