package rows

import (
	"net/netip"

	"github.com/stalker-asm/stalker/pipeline"
)

// SweepAction is what a sweep does to what it meets.
type SweepAction string

// The actions.
const (
	SweepDelete SweepAction = "delete" // what is below a deleted resource goes with it
	SweepBlock  SweepAction = "block"  // what is below a resource is blocked, or not any more
	SweepMerge  SweepAction = "merge"  // websites merged into ID are merged into Into; "" ends their being merged
	SweepLook   SweepAction = "look"   // ports or websites were looked for; those not seen since are closed
)

// Sweep concerns many resources at once. All but merges are kept in the store, so
// that a row that is written late is held against those it missed.
type Sweep struct {
	Action    SweepAction
	ProjectID string
	ID        string        // of the resource, or of the look
	Kind      pipeline.Kind // of the resource, or of those that were looked for
	Since     int64         // what was seen after this is not concerned
	Until     int64         // when it is known
	First     netip.Addr    // addresses from First to Last; not valid for a domain
	Last      netip.Addr
	Domain    string            // of a domain or website
	Ports     []uint16          // pairs of first and last; none means all
	Protocol  pipeline.Protocol // "" means any
	Path      string            // of a website that was looked for, "" means any
	Blocked   Value[uint8]      // for SweepBlock
	Into      Value[string]     // for SweepMerge
	Cause     string            // user or execution

	// By names the memory of the projector that tells the others of the sweep; "" when
	// it concerns only what the same projector reads. When it is stored tells the store.
	By     string
	Stored int64
}

// Kept reports whether the sweep is kept in the store.
func (s *Sweep) Kept() bool { return s.Action != SweepMerge }

// Below reports whether the sweep is about the resource at p: one that is below the
// deleted or blocked one, or one that was looked for.
func (s *Sweep) Below(p *Place) bool {
	switch {
	case s.Action == SweepMerge:
		return false // those are found by what they are merged into
	case s.Kind == pipeline.KindDomain:
		return p.Kind == pipeline.KindWebsite && p.Domain == s.Domain
	case s.Kind == pipeline.KindHost:
		return (p.Kind == pipeline.KindPort || p.Kind == pipeline.KindWebsite) && s.on(p)
	case s.Kind == pipeline.KindRange: // only a block goes below a range
		return p.Kind != pipeline.KindDomain && p.Kind != pipeline.KindRange && s.on(p)
	case s.Kind == pipeline.KindPort && s.Action == SweepLook:
		return (p.Kind == pipeline.KindPort || p.Kind == pipeline.KindWebsite) && s.on(p)
	case s.Kind == pipeline.KindPort:
		return p.Kind == pipeline.KindWebsite && s.on(p)
	case s.Kind == pipeline.KindWebsite && s.Action == SweepLook:
		return p.Kind == pipeline.KindWebsite && p.Domain == s.Domain && (s.Path == "" || p.Path == s.Path) && s.on(p)
	default:
		return false
	}
}

// on reports whether p has one of the sweep's addresses and ports.
func (s *Sweep) on(p *Place) bool {
	if !s.First.IsValid() || p.Addr.Is4() != s.First.Is4() || p.Addr.Compare(s.First) < 0 || p.Addr.Compare(s.Last) > 0 {
		return false
	}
	protocol := p.Protocol
	if p.Kind == pipeline.KindWebsite {
		protocol = pipeline.TCP
	}
	if s.Protocol != "" && protocol != s.Protocol {
		return false
	}
	for i := 0; i+1 < len(s.Ports); i += 2 {
		if s.Ports[i] <= p.Port && p.Port <= s.Ports[i+1] {
			return true
		}
	}
	return len(s.Ports) == 0
}
