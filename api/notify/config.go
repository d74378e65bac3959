package notify

import (
	"errors"
	"fmt"
	"time"
)

// Config bounds notifications.
type Config struct {
	// AllowPrivate lets notifications go to addresses that are not public. Whoever may add notifications can then reach what this server reaches.
	AllowPrivate bool `yaml:"allowPrivate"`
	// Every is how often it is looked what has happened.
	Every time.Duration `yaml:"every"`
	// Settle is how old something must be to be told. Findings that were on their way for longer when they were stored could be missed.
	Settle time.Duration `yaml:"settle"`
	// Timeout is how long a receiver may take.
	Timeout time.Duration `yaml:"timeout"`
	// Attempts is how often a message is sent before it is given up. The pause after the first is ten seconds and grows, up to an hour.
	Attempts int `yaml:"attempts"`
	// Keep is how long the log of messages goes back.
	Keep time.Duration `yaml:"keep"`
}

// DefaultConfig tells things after 20 seconds, and tries for about six hours.
func DefaultConfig() Config {
	return Config{Every: 5 * time.Second, Settle: 20 * time.Second, Timeout: 15 * time.Second, Attempts: 15, Keep: 30 * 24 * time.Hour}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	for _, d := range []struct {
		name             string
		have, least, top time.Duration
	}{
		{"every", c.Every, 100 * time.Millisecond, time.Hour},
		{"settle", c.Settle, 0, time.Hour},
		{"timeout", c.Timeout, time.Second, 2 * time.Minute},
		{"keep", c.Keep, time.Hour, 3650 * 24 * time.Hour},
	} {
		if d.have < d.least || d.have > d.top {
			errs = append(errs, fmt.Errorf("%s is %s, must be between %s and %s", d.name, d.have, d.least, d.top))
		}
	}
	if c.Attempts < 1 || c.Attempts > 100 {
		errs = append(errs, fmt.Errorf("attempts is %d, must be between 1 and 100", c.Attempts))
	}
	return errors.Join(errs...)
}
