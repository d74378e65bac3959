package embedded

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stalker-asm/stalker/pipeline/bus"
)

// ledger keeps the last commit of every group in a file, so that one which a kill cut
// in the middle can be finished: the broker marks a transaction's partitions one after
// the other, and the offsets last. Kafka writes its decision down first; this does.
type ledger struct{ dir string }

func ledgerOf(dir string) ledger { return ledger{filepath.Join(dir, "commits")} }

// Committing replaces what is known of the group's commit before.
func (l ledger) Committing(c bus.Commit) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("writing a commit: %w", err)
	}
	path := filepath.Join(l.dir, c.Group+".json")
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("writing a commit: %w", err)
	}
	return os.Rename(path+".new", path)
}

// commits are the last ones of all groups.
func (l ledger) commits() ([]bus.Commit, error) {
	files, err := filepath.Glob(filepath.Join(l.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	out := make([]bus.Commit, 0, len(files))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var c bus.Commit
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, fmt.Errorf("%s is no commit: %w", strings.TrimPrefix(f, l.dir), err)
		}
		out = append(out, c)
	}
	return out, nil
}

// begin makes the ledger empty.
func (l ledger) begin() error {
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("clearing the ledger: %w", err)
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("making the ledger: %w", err)
	}
	return nil
}
