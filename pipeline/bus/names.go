package bus

// names translates between the names of topics here and on the brokers, which
// differ by the configured prefix.
type names struct {
	prefix string
	there  map[string]string // name here → name on the brokers
	here   map[string]string
}

func newNames(prefix string) names {
	n := names{prefix: prefix, there: map[string]string{}, here: map[string]string{}}
	for _, t := range Topics() {
		n.there[t.Name], n.here[prefix+t.Name] = prefix+t.Name, t.Name
	}
	return n
}

// outside is the name on the brokers of a topic.
func (n *names) outside(topic string) string {
	if n.prefix == "" {
		return topic
	}
	if t, ok := n.there[topic]; ok {
		return t
	}
	return n.prefix + topic
}

// inside is the name here of a topic of the brokers.
func (n *names) inside(topic string) string {
	if n.prefix == "" {
		return topic
	}
	if t, ok := n.here[topic]; ok {
		return t
	}
	return topic
}

func (n *names) outsides(topics []string) []string {
	out := make([]string, len(topics))
	for i, t := range topics {
		out[i] = n.outside(t)
	}
	return out
}
