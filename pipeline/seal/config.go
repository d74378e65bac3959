package seal

import (
	"errors"

	"github.com/stalker-asm/stalker/pipeline/config"
)

// Config says with which keys secrets are closed and opened. One of the three may be
// set.
type Config struct {
	// Key holds the keys that close and open secrets, AGE-SECRET-KEY-1… or 32 random bytes in base64, the newest first, on lines of their own or separated by commas. stalker secrets key makes one.
	Key config.Secret `yaml:"key"`
	// KeyFile is a file with the same. With neither, a process that has every role makes a key of its own, kept in the data directory.
	KeyFile string `yaml:"keyFile"`
	// Recipient is the public half of the newest key, age1…: enough for a process that stores secrets and does not launch jobs.
	Recipient string `yaml:"recipient"`
}

// Set reports whether the configuration names a key.
func (c *Config) Set() bool { return c.Key != "" || c.KeyFile != "" || c.Recipient != "" }

// Validate reports every problem.
func (c *Config) Validate() error {
	n := 0
	for _, set := range []bool{c.Key != "", c.KeyFile != "", c.Recipient != ""} {
		if set {
			n++
		}
	}
	if n > 1 {
		return errors.New("only one of key, keyFile and recipient may be set")
	}
	var err error
	if c.Key != "" {
		_, err = Parse(string(c.Key))
	}
	if c.Recipient != "" {
		_, err = Public(c.Recipient)
	}
	return err
}

// Open returns the configured keys, or those of a file that is ours when nothing is
// configured.
func (c *Config) Open(own string) (*Keys, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	switch {
	case c.Key != "":
		return Parse(string(c.Key))
	case c.KeyFile != "":
		return Load(c.KeyFile)
	case c.Recipient != "":
		return Public(c.Recipient)
	default:
		return LoadOrCreate(own)
	}
}
