package pipeline

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Scope lists what automation may aim at. An entry is a domain (example.com, that
// name alone), a pattern (*.example.com, every name below it), an address or a
// network. What Out lists is never aimed at. When In lists anything, only what it
// lists is.
type Scope struct {
	In  []string `json:"in,omitempty"`
	Out []string `json:"out,omitempty"`
}

// MaxScope bounds the entries of a list.
const MaxScope = 5000

// ScopeReason says why something is out of scope; "" means that it is in.
type ScopeReason string

// The reasons.
const (
	ScopeSpecial   ScopeReason = "special_address" // private, loopback…, and not among the project's internal networks
	ScopeListedOut ScopeReason = "listed_out"
	ScopeNotListed ScopeReason = "not_listed"     // there is a list of what is in scope, and it is not on it
	ScopeReverse   ScopeReason = "reverse_lookup" // a name known by asking for an address only, which its owner may answer at will
)

// ScopeVerdict is what a project's scope says of a target.
type ScopeVerdict struct {
	Reason ScopeReason `json:"reason,omitempty"`
	Entry  string      `json:"entry,omitempty"` // of the list that decided
}

// Allowed reports whether automation may aim at the target.
func (v ScopeVerdict) Allowed() bool { return v.Reason == "" }

// Target is what a job would be aimed at.
type Target struct {
	Locators
	// Reverse says that the domain was learnt by asking for the address's name (PTR):
	// it never brings anything into scope.
	Reverse bool
	// Names are domains that were seen to resolve to the address: one in scope brings
	// the address into scope. Nil means none.
	Names func(yield func(domain string) bool)
}

// TargetOf is the target a finding is about; names are what resolves to its address.
func TargetOf(f *Finding, names func(yield func(string) bool)) Target {
	return Target{Locators: f.Locators, Reverse: f.Reverse(), Names: names}
}

// Bounds is a scope made ready to be asked. It is immutable.
type Bounds struct {
	in, out  scopeList
	internal []netip.Prefix
}

// scopeList is one list of a scope.
type scopeList struct {
	names    map[string]bool   // alone
	below    map[string]string // what stands behind *. → the entry
	patterns []string
	networks []netip.Prefix
	size     int
}

// ScopeProblem is an entry that means nothing, such as scope.in[3].
type ScopeProblem struct{ Path, Message string }

// Check returns every problem of the lists.
func (s Scope) Check() []ScopeProblem {
	var b Bounds
	return b.read(s)
}

// Bounds returns what decides about the project's targets, or every problem of its
// lists.
func (p *Project) Bounds() (*Bounds, error) {
	b := &Bounds{internal: p.Internal}
	problems := b.read(p.Scope)
	if len(problems) == 0 {
		return b, nil
	}
	lines := make([]string, len(problems))
	for i, x := range problems {
		lines[i] = x.Path + ": " + x.Message
	}
	return nil, Errorf(CodeInvalid, "%s", strings.Join(lines, "\n"))
}

func (b *Bounds) read(s Scope) (problems []ScopeProblem) {
	for _, l := range []struct {
		name    string
		entries []string
		list    *scopeList
	}{{"scope.in", s.In, &b.in}, {"scope.out", s.Out, &b.out}} {
		if len(l.entries) > MaxScope {
			problems = append(problems, ScopeProblem{l.name, fmt.Sprintf("%d entries, at most %d are allowed", len(l.entries), MaxScope)})
			continue
		}
		for i, e := range l.entries {
			if err := l.list.add(e); err != nil {
				problems = append(problems, ScopeProblem{fmt.Sprintf("%s[%d]", l.name, i), err.Error()})
			}
		}
	}
	return problems
}

func (l *scopeList) add(entry string) error {
	e := strings.ToLower(strings.TrimSuffix(strings.TrimSpace(entry), "."))
	if a, err := netip.ParseAddr(e); err == nil {
		a = a.Unmap().WithZone("")
		l.networks = append(l.networks, netip.PrefixFrom(a, a.BitLen()))
	} else if n, err := netip.ParsePrefix(e); err == nil {
		l.networks = append(l.networks, n.Masked())
	} else if bad := scopeName(e); bad != "" {
		return fmt.Errorf("%q %s; a domain, *.domain, an address or a network is expected", entry, bad)
	} else {
		l.addName(e)
	}
	l.size++
	return nil
}

func (l *scopeList) addName(e string) {
	if l.names == nil {
		l.names, l.below = map[string]bool{}, map[string]string{}
	}
	switch rest, below := strings.CutPrefix(e, "*."); {
	case below && !strings.Contains(rest, "*"):
		l.below[rest] = e
	case strings.Contains(e, "*"):
		l.patterns = append(l.patterns, e)
	default:
		l.names[e] = true
	}
}

// scopeName says what is wrong with a domain or pattern, "" when it is right.
func scopeName(e string) string {
	switch {
	case e == "" || len(e) > 253:
		return "has not 1 to 253 characters"
	case strings.Contains(e, "://") || strings.Contains(e, "/"):
		return "is a URL or path, or a network with a wrong length"
	case strings.ContainsAny(e, " :@,") || strings.Contains(e, ".."):
		return "is no domain"
	case strings.Trim(e, "*.") == "":
		return "matches everything"
	case strings.Count(e, "*") > 4:
		return "has more than four *"
	default:
		return ""
	}
}

// name returns the entry that covers a domain, "" when none does.
func (l *scopeList) name(domain string) string {
	if domain == "" || l.size == 0 {
		return ""
	}
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if l.names[domain] {
		return domain
	}
	for rest := domain; len(l.below) > 0; {
		var more bool
		if _, rest, more = strings.Cut(rest, "."); !more {
			break
		}
		if e, ok := l.below[rest]; ok {
			return e
		}
	}
	for _, p := range l.patterns {
		if glob(p, domain) {
			return p
		}
	}
	return ""
}

// within returns the network that covers all of n, "" when none does.
func (l *scopeList) within(n netip.Prefix) string {
	for _, w := range l.networks {
		if n.IsValid() && w.Bits() <= n.Bits() && w.Contains(n.Addr()) {
			return w.String()
		}
	}
	return ""
}

// touching returns a network that has an address in common with n.
func (l *scopeList) touching(n netip.Prefix) string {
	for _, w := range l.networks {
		if n.IsValid() && w.Overlaps(n) {
			return w.String()
		}
	}
	return ""
}

// Judge says whether a target is in scope. Special-purpose addresses need to be
// among the internal networks; what is listed out is out, be it the name, the
// address or a part of the range; then, when anything is listed in, one of name,
// address and the names that resolve to it must be.
func (b *Bounds) Judge(t *Target) ScopeVerdict {
	n, ok := t.network()
	if !ok {
		return ScopeVerdict{Reason: ScopeSpecial, Entry: t.IP}
	}
	if e := b.out.name(t.Domain); e != "" {
		return ScopeVerdict{ScopeListedOut, e}
	}
	if e := b.out.touching(n); e != "" {
		return ScopeVerdict{ScopeListedOut, e}
	}
	if n.IsValid() && !b.maySpecial(n) {
		return ScopeVerdict{Reason: ScopeSpecial, Entry: n.String()}
	}
	if t.Reverse && !n.IsValid() {
		if e := b.in.name(t.Domain); e != "" {
			return ScopeVerdict{Entry: e}
		}
		return ScopeVerdict{Reason: ScopeReverse}
	}
	if b.in.size == 0 {
		return ScopeVerdict{}
	}
	return b.listed(t, n)
}

func (b *Bounds) listed(t *Target, n netip.Prefix) ScopeVerdict {
	if !t.Reverse {
		if e := b.in.name(t.Domain); e != "" {
			return ScopeVerdict{Entry: e}
		}
	}
	if e := b.in.within(n); e != "" {
		return ScopeVerdict{Entry: e}
	}
	if t.Names != nil && n.IsSingleIP() {
		for domain := range t.Names {
			if e := b.in.name(domain); e != "" && b.out.name(domain) == "" {
				return ScopeVerdict{Entry: e}
			}
		}
	}
	return ScopeVerdict{Reason: ScopeNotListed}
}

func (b *Bounds) maySpecial(n netip.Prefix) bool {
	p := Project{Internal: b.internal}
	return p.MayScanRange(n)
}

// network is the address or range aimed at; not valid when there is none, and not
// ok when it cannot be read.
func (t *Target) network() (n netip.Prefix, ok bool) {
	if t.IP == "" {
		return n, true
	}
	a, err := netip.ParseAddr(t.IP)
	if err != nil {
		return n, false
	}
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if t.Mask != nil {
		bits = *t.Mask
	}
	n, err = a.Prefix(bits)
	return n, err == nil
}

// Sentence says a verdict in words.
func (v ScopeVerdict) Sentence(t *Target) string {
	what := t.Domain
	if n, _ := t.network(); n.IsValid() {
		what = strings.TrimPrefix(what+" at ", " at ") + strings.TrimSuffix(n.String(), fmt.Sprintf("/%d", n.Addr().BitLen()))
	}
	switch v.Reason {
	case ScopeSpecial:
		return fmt.Sprintf("%s is, or holds, a special-purpose address and is not among the project's internal networks", what)
	case ScopeListedOut:
		return fmt.Sprintf("%s: the project lists %s as out of scope", what, v.Entry)
	case ScopeNotListed:
		return fmt.Sprintf("%s is not on the project's list of what is in scope", what)
	case ScopeReverse:
		return fmt.Sprintf("%s is known from a reverse lookup only, and no in-scope entry names it", what)
	default:
		if v.Entry != "" {
			return fmt.Sprintf("%s is in scope by %s", what, v.Entry)
		}
		return what + " is in scope: the project lists nothing else"
	}
}

// InScope judges a target by the project's lists and internal networks. Names are
// domains that resolve to the target's address. It is for those who ask now and
// then; who asks often keeps Bounds.
func (p *Project) InScope(l Locators, names ...string) (ScopeVerdict, error) {
	b, err := p.Bounds()
	if err != nil {
		return ScopeVerdict{}, err
	}
	return b.Judge(&Target{Locators: l, Names: slices.Values(names)}), nil
}

// glob reports whether s is what the pattern says; * stands for any text.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
