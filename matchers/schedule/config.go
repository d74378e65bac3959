package schedule

import (
	"errors"
	"fmt"
	"time"
)

// Config bounds what the scheduler does at once.
type Config struct {
	// PageSize is how many resources are read at once.
	PageSize int `yaml:"pageSize"`
	// MaxBatch is how many resources one job gets at most, whatever its subscription's batch says.
	MaxBatch int `yaml:"maxBatch"`
	// Deadline bounds one step: a few pages of resources and the requests for them.
	Deadline time.Duration `yaml:"deadline"`
	// Attempts is how often a step is tried while the store does not answer, before its tick is given up.
	Attempts int `yaml:"attempts"`
}

// DefaultConfig reads 1,000 resources at once and gives a job at most 10,000.
func DefaultConfig() Config {
	return Config{PageSize: 1000, MaxBatch: 10_000, Deadline: time.Minute, Attempts: 100}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.PageSize < 1 || c.PageSize > 1000 {
		errs = append(errs, fmt.Errorf("pageSize is %d, must be 1 to 1000", c.PageSize))
	}
	if c.MaxBatch < 1 || c.MaxBatch > 50_000 {
		errs = append(errs, fmt.Errorf("maxBatch is %d, must be 1 to 50000", c.MaxBatch))
	}
	if c.Deadline < 10*time.Second || c.Deadline > 10*time.Minute {
		errs = append(errs, fmt.Errorf("deadline is %s, must be 10s to 10m", c.Deadline))
	}
	if c.Attempts < 1 {
		errs = append(errs, fmt.Errorf("attempts is %d, must be at least 1", c.Attempts))
	}
	return errors.Join(errs...)
}
