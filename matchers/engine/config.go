package engine

import (
	"errors"
	"fmt"
	"time"
)

// Config bounds what automation may do.
type Config struct {
	// MaxDepth is how many executions may follow from one another.
	MaxDepth int `yaml:"maxDepth"`
	// MaxPerRoot is how many executions may follow from one root: what a person asked
	// for or a schedule started. Each matcher process counts what it sees.
	MaxPerRoot int `yaml:"maxPerRoot"`
	// MaxPerTarget is how many executions automation may aim at one host (or domain)
	// within TargetWindow.
	MaxPerTarget int `yaml:"maxPerTarget"`
	// TargetWindow is what MaxPerTarget counts in.
	TargetWindow time.Duration `yaml:"targetWindow"`
	// MaxVerdicts is of how many findings of one batch it is recorded why subscriptions
	// fired or which guard stopped them.
	MaxVerdicts int `yaml:"maxVerdicts"`
	// CatalogWait bounds how long a batch waits for the control plane it was made with.
	CatalogWait time.Duration `yaml:"catalogWait"`
	// MaxNames bounds the names of one host that are joined with its HTTP ports into
	// websites. An address with more is a shared front, not a list of websites.
	MaxNames int `yaml:"maxNames"`
	// MaxHTTPPorts bounds the HTTP ports of one host that are joined with its names.
	// A host with more answers on every port whatever it is asked.
	MaxHTTPPorts int `yaml:"maxHttpPorts"`
}

// DefaultConfig allows chains of 16 executions, 200,000 of one root and 1,000 an hour
// at one host, and 1,000 names and 200 HTTP ports of a host.
func DefaultConfig() Config {
	return Config{MaxDepth: 16, MaxPerRoot: 200_000, MaxPerTarget: 1000, TargetWindow: time.Hour, MaxVerdicts: 1000, CatalogWait: 20 * time.Second, MaxNames: 1000, MaxHTTPPorts: 200}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	atLeastOne := func(name string, n int) {
		if n < 1 {
			errs = append(errs, fmt.Errorf("%s is %d, must be at least 1", name, n))
		}
	}
	atLeastOne("maxDepth", c.MaxDepth)
	atLeastOne("maxPerRoot", c.MaxPerRoot)
	atLeastOne("maxPerTarget", c.MaxPerTarget)
	atLeastOne("maxNames", c.MaxNames)
	atLeastOne("maxHttpPorts", c.MaxHTTPPorts)
	if c.MaxVerdicts < 0 {
		errs = append(errs, fmt.Errorf("maxVerdicts is %d, must be at least 0", c.MaxVerdicts))
	}
	if c.CatalogWait < time.Second {
		errs = append(errs, fmt.Errorf("catalogWait is %s, must be at least 1s", c.CatalogWait))
	}
	if c.TargetWindow < time.Second || c.TargetWindow > 30*24*time.Hour {
		errs = append(errs, fmt.Errorf("targetWindow is %s, must be 1s to 720h", c.TargetWindow))
	}
	return errors.Join(errs...)
}
