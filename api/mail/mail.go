// Package mail sends letters in plain text through the mail server that the
// configuration names.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/config"
)

// Ways to encrypt the connection.
const (
	SecurityStartTLS = "starttls" // asked for after connecting, and required
	SecurityTLS      = "tls"      // from the first byte on
	SecurityNone     = "none"     // for a server of this machine
)

// Config says how e-mail is sent.
type Config struct {
	// Host is the mail server; empty means that no e-mail is sent.
	Host string `yaml:"host"`
	// Port is its port.
	Port int `yaml:"port"`
	// Security is how the connection is encrypted: starttls, tls, or none.
	Security string `yaml:"security"`
	// From is the sender, such as Stalker <stalker@example.com>.
	From string `yaml:"from"`
	// Username is with whom to log in; empty means not to.
	Username string `yaml:"username"`
	// Password is the password of that user.
	Password config.Secret `yaml:"password"`
}

// DefaultConfig sends nothing, and knows the usual port.
func DefaultConfig() Config { return Config{Port: 587, Security: SecurityStartTLS} }

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.Port < 1 || c.Port > 65535 {
		errs = append(errs, fmt.Errorf("port is %d, must be between 1 and 65535", c.Port))
	}
	if !slices.Contains([]string{SecurityStartTLS, SecurityTLS, SecurityNone}, c.Security) {
		errs = append(errs, fmt.Errorf("security is %q, must be starttls, tls or none", c.Security))
	}
	if c.Host == "" {
		return errors.Join(errs...)
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		errs = append(errs, fmt.Errorf("from is %q, must be an address such as Stalker <stalker@example.com>", c.From))
	}
	if c.Username != "" && c.Security == SecurityNone {
		errs = append(errs, errors.New("username: a password is not sent unencrypted: set security to starttls or tls"))
	}
	return errors.Join(errs...)
}

// timeout bounds one letter.
const timeout = 30 * time.Second

// Mailer sends letters. It may be used by several goroutines.
type Mailer struct {
	cfg     Config
	options []gomail.Option
}

// New returns a mailer, or nil when no server is configured.
func New(cfg Config) *Mailer {
	if cfg.Host == "" {
		return nil
	}
	o := []gomail.Option{gomail.WithPort(cfg.Port), gomail.WithTimeout(timeout)}
	switch cfg.Security {
	case SecurityTLS:
		o = append(o, gomail.WithSSL())
	case SecurityNone:
		o = append(o, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if cfg.Username != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(cfg.Username), gomail.WithPassword(string(cfg.Password)))
	}
	return &Mailer{cfg: cfg, options: o}
}

// Send sends one letter to all of to, who do not see one another.
func (m *Mailer) Send(ctx context.Context, to []string, subject, text string) error {
	msg := gomail.NewMsg()
	err := errors.Join(msg.From(m.cfg.From), msg.Bcc(to...))
	if err != nil {
		return pipeline.Errorf(pipeline.CodeInvalid, "the letter cannot be addressed: %w", err)
	}
	msg.Subject(subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, text)
	c, err := gomail.NewClient(m.cfg.Host, m.options...)
	if err != nil {
		return fmt.Errorf("preparing to send mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() { _ = c.Close() }() // what a failure may leave open
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		return pipeline.Errorf(pipeline.CodeUnavailable, "sending mail: %w", err)
	}
	return nil
}
