package pipeline

import (
	"regexp"
	"strings"
	"time"
)

// Secret is a value that only executions get to see. It travels sealed; who can
// open it is the launcher's business.
type Secret struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	ProjectID string    `json:"projectId,omitempty"` // "" means every project that has none of the same name
	Summary   string    `json:"summary,omitempty"`
	Version   int64     `json:"version"` // grows with every change
	UpdatedAt time.Time `json:"updatedAt"`
	Sealed    []byte    `json:"sealed,omitempty"` // never leaves the control plane and the launcher
}

// MaxSecret is the largest value of a secret, in bytes.
const MaxSecret = 64 << 10

// secretRef is a parameter's whole value, or a list's whole element, that names a
// secret. The word secrets may be in any case, the name is as it is.
var secretRef = regexp.MustCompile(`^\s*\$\{\s*(?i:secrets)\.([^\s{}]+)\s*\}\s*$`)

// SecretRef returns the name of the secret that a text refers to.
func SecretRef(text string) (name string, ok bool) {
	if !strings.Contains(text, "${") {
		return "", false
	}
	m := secretRef.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return m[1], true
}
