package rule

import (
	"maps"
	"strings"
)

// keyed leads from a finding's key to rules. It is immutable.
type keyed struct {
	exact map[string]*bucket
	wild  []wildcard
}

// wildcard is the rules that name one pattern of finding keys.
type wildcard struct {
	pattern string
	bucket  *bucket
}

// with returns a copy in which a key or pattern leads to rules.
func (k *keyed) with(changed map[string][]*Rule) *keyed {
	next := &keyed{exact: map[string]*bucket{}}
	if k != nil {
		maps.Copy(next.exact, k.exact)
		next.wild = append(next.wild, k.wild...)
	}
	for key, rules := range changed {
		if strings.Contains(key, "*") {
			next.setWild(key, rules)
		} else if len(rules) == 0 {
			delete(next.exact, key)
		} else {
			next.exact[key] = newBucket(rules)
		}
	}
	return next
}

func (k *keyed) setWild(pattern string, rules []*Rule) {
	for i := range k.wild {
		if k.wild[i].pattern != pattern {
			continue
		}
		if len(rules) == 0 {
			k.wild = append(k.wild[:i:i], k.wild[i+1:]...)
		} else {
			k.wild[i].bucket = newBucket(rules)
		}
		return
	}
	if len(rules) > 0 {
		k.wild = append(k.wild, wildcard{pattern, newBucket(rules)})
	}
}

// rules returns those of one key or pattern.
func (k *keyed) rules(key string) []*Rule {
	if k == nil {
		return nil
	}
	if b := k.exact[key]; b != nil {
		return b.rules
	}
	for i := range k.wild {
		if k.wild[i].pattern == key {
			return k.wild[i].bucket.rules
		}
	}
	return nil
}

// each calls fn for the buckets a finding's key leads to.
func (k *keyed) each(key string, fn func(*bucket)) {
	if k == nil {
		return
	}
	if b := k.exact[key]; b != nil {
		fn(b)
	}
	for i := range k.wild {
		if w := &k.wild[i]; Glob(w.pattern, key) {
			fn(w.bucket)
		}
	}
}

// Glob reports whether s is what the pattern says, in which each * stands for any
// text, also none. Case counts.
func Glob(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
}
