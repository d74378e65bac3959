package rule

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/stalker-asm/stalker/matchers/vars"
)

// Limits on a pattern of matches. Matching takes time in the product of the
// pattern's size and the text's length (at most 64 KiB, normal.MaxText), never more.
const (
	MaxPattern     = 1000 // bytes
	MaxPatternSize = 5000 // states
)

// alternatives is the right side of a set operator, read once when it is literal.
// Which of the fields are used follows from the operator.
type alternatives struct {
	patterns []*regexp.Regexp
	networks []netip.Prefix
	domains  []string
	ranges   [][2]float64
}

// literalSet reads the right side of a set operator; nil means that it has
// variables in it, and is read for each finding. A literal that cannot be read
// never holds; Parse has refused it.
func literalSet(op operator, right *vars.Template) *alternatives {
	if !op.set() || op.base == in || !right.Literal() {
		return nil
	}
	v := right.Eval(nothing)
	a, err := readSet(op, &v)
	if err != nil {
		return &alternatives{}
	}
	return a
}

// readSet reads the right side of a set operator. The error is for people.
func readSet(op operator, v *vars.Value) (*alternatives, error) {
	a := &alternatives{}
	if op.base == between {
		return a, a.readRanges(v)
	}
	if v.Len() == 0 {
		return a, errors.New("the list is empty: nothing would ever hold")
	}
	for i := range v.Len() {
		e := v.At(i)
		if e.Kind() != vars.Text {
			return a, fmt.Errorf("text is expected, not %s", kindName(e.Kind()))
		}
		if err := a.read(op, e.Text()); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *alternatives) read(op operator, s string) error {
	switch op.base {
	case matches:
		re, err := Pattern(s, op.fold)
		a.patterns = append(a.patterns, re)
		return err
	case inCIDR:
		n, err := network(s)
		a.networks = append(a.networks, n)
		return err
	default:
		d, err := domainName(s)
		a.domains = append(a.domains, d)
		return err
	}
}

// readRanges reads [low, high], or a list of these.
func (a *alternatives) readRanges(v *vars.Value) error {
	if v.Kind() == vars.List && v.Len() > 0 && v.At(0).Kind() == vars.List {
		for i := range v.Len() {
			if err := a.readRange(v.At(i)); err != nil {
				return err
			}
		}
		return nil
	}
	return a.readRange(v)
}

func (a *alternatives) readRange(v *vars.Value) error {
	if v.Kind() != vars.List || v.Len() != 2 {
		return errors.New("[low, high] is expected, or a list of these")
	}
	low, okLow := v.At(0).Number()
	high, okHigh := v.At(1).Number()
	switch {
	case !okLow || !okHigh:
		return errors.New("two numbers are expected, [low, high]")
	case low > high:
		return fmt.Errorf("%s is greater than %s: nothing lies between them", v.At(0), v.At(1))
	}
	a.ranges = append(a.ranges, [2]float64{low, high})
	return nil
}

// Pattern compiles a regular expression (RE2) and refuses one that is large once
// its repetitions are written out.
func Pattern(s string, fold bool) (*regexp.Regexp, error) {
	if len(s) > MaxPattern {
		return nil, fmt.Errorf("the pattern has %d bytes, at most %d are allowed", len(s), MaxPattern)
	}
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(s, flags)
	if x, ok := errors.AsType[*syntax.Error](err); ok && x.Code == syntax.ErrInvalidRepeatSize {
		return nil, fmt.Errorf("%s repeats too often: a repetition, times those it stands in, may come to at most 1000", x.Expr)
	}
	if err != nil {
		return nil, fmt.Errorf("not a regular expression (RE2): %w", err)
	}
	if states(tree) > MaxPatternSize {
		return nil, fmt.Errorf("the pattern has more than %d states once its repetitions are written out: repeat less", MaxPatternSize)
	}
	if fold {
		s = "(?i)" + s
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, fmt.Errorf("not a regular expression (RE2): %w", err)
	}
	return re, nil
}

// states estimates the size of the compiled program, without compiling it; beyond
// the limit it may stop counting.
func states(r *syntax.Regexp) int {
	n := 1 + len(r.Rune)
	for _, sub := range r.Sub {
		n += states(sub)
		if n > MaxPatternSize {
			return n
		}
	}
	if r.Op == syntax.OpRepeat {
		n *= max(r.Min, r.Max, 1)
	}
	return min(n, 1<<30) // nested repetitions must not overflow
}

// network reads a network, or an address as the network that is it alone.
func network(s string) (netip.Prefix, error) {
	n, err := address(s)
	if err != nil {
		return n, fmt.Errorf("an address or a network such as 192.0.2.0/24 is expected, not %q", clip(s))
	}
	return n, nil
}

// address is network with an error that costs nothing.
func address(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if !strings.ContainsRune(s, '/') {
		if len(s) > 64 || len(s) < 2 || strings.IndexByte("0123456789abcdefABCDEF:", s[0]) < 0 {
			return netip.Prefix{}, errAddress
		}
		a, err := netip.ParseAddr(s)
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), err
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return n, err
	}
	if n.Addr().Is4In6() && n.Bits() >= 96 {
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n.Masked(), nil
}

var errAddress = errors.New("no address")

// domainName reads a domain, without a dot at the end, in lower case.
func domainName(s string) (string, error) {
	d := strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
	switch {
	case strings.HasPrefix(d, "*."):
		return "", fmt.Errorf("%q: write %s, names below it are meant anyway", clip(s), d[2:])
	case d == "" || strings.HasPrefix(d, ".") || strings.ContainsAny(d, " /:*@") || strings.Contains(d, ".."):
		return "", fmt.Errorf("a domain such as example.com is expected, not %q", clip(s))
	default:
		return d, nil
	}
}

// holds asks the set about one element of the left; ok is false when the operator
// does not apply to it.
func (a *alternatives) holds(op base, l *vars.Value) (holds, ok bool) {
	if op == between {
		n, isNumber := l.Number()
		return isNumber && a.between(n), isNumber && len(a.ranges) > 0
	}
	if l.Kind() != vars.Text {
		return false, false
	}
	switch op {
	case matches:
		return a.matches(l.Text()), len(a.patterns) > 0
	case inCIDR:
		n, err := address(l.Text())
		return err == nil && a.covers(n), err == nil && len(a.networks) > 0
	default:
		return a.above(l.Text()), len(a.domains) > 0
	}
}

func (a *alternatives) between(n float64) bool {
	for _, r := range a.ranges {
		if r[0] <= n && n <= r[1] {
			return true
		}
	}
	return false
}

func (a *alternatives) matches(s string) bool {
	for _, re := range a.patterns {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

func (a *alternatives) covers(n netip.Prefix) bool {
	for _, w := range a.networks {
		if w.Bits() <= n.Bits() && w.Contains(n.Addr()) {
			return true
		}
	}
	return false
}

func (a *alternatives) above(name string) bool {
	name = strings.TrimSuffix(name, ".")
	for _, d := range a.domains {
		if below(name, d) {
			return true
		}
	}
	return false
}

// below reports whether name is d or ends in a dot and d, without regard to case;
// d is in lower case.
func below(name, d string) bool {
	if !hasSuffixFold(name, d) {
		return false
	}
	return len(name) == len(d) || len(name) > len(d) && name[len(name)-len(d)-1] == '.'
}

// anyOf is the operator in: the left equals one of the right.
func anyOf(op *operator, l, right *vars.Value) (holds, ok bool) {
	if right.Len() == 0 {
		return false, false
	}
	for i := range right.Len() {
		h, applies := op.pair(l, right.At(i))
		if !applies && (op.fold || !scalar(l)) {
			return false, false
		}
		if h {
			return true, true
		}
	}
	return false, true
}

func kindName(k vars.Kind) string {
	switch k {
	case vars.Text:
		return "text"
	case vars.Bool:
		return "a boolean"
	case vars.Int, vars.Float:
		return "a number"
	case vars.List:
		return "a list"
	default:
		return "nothing"
	}
}
