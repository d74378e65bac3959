package pipeline

import "time"

// GitSource is a git repository whose jobs, job templates and subscriptions are kept as they
// are there.
type GitSource struct {
	ID       string        `json:"id"`
	URL      string        `json:"url"`
	Branch   string        `json:"branch,omitempty"`   // "" means the repository's own choice
	Interval time.Duration `json:"interval,omitempty"` // 0 means only when somebody asks
	Version  int64         `json:"version"`            // grows with every change a person makes

	// over ssh: the key, closed, its public half as in authorized_keys, and whom to
	// believe as in known_hosts. Without them those of the server's user count.
	Sealed     []byte `json:"sealed,omitempty"`
	PublicKey  string `json:"publicKey,omitempty"`
	KnownHosts string `json:"knownHosts,omitempty"`

	// what became of the last sync
	SyncedAt      *time.Time    `json:"syncedAt,omitempty"`
	Commit        string        `json:"commit,omitempty"`
	Error         string        `json:"error,omitempty"` // why nothing could be read
	Problems      []FileProblem `json:"problems"`
	Jobs          int           `json:"jobs"`
	Templates     int           `json:"templates"`
	Subscriptions int           `json:"subscriptions"`
}

// FileProblem is something wrong with a file of a source. Line and Column are 0 where
// it is no matter of a place.
type FileProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}
