// Package bus is the only place that speaks Kafka. It moves records between the
// components with four shapes of work, each with its own guarantee:
//
//   - Producer: acknowledged by all replicas, or an error.
//   - Consumer: batches, at least once; committed after the handler says that
//     every effect is durable.
//   - Transactor: batches, exactly once; what the handler returns and the offsets
//     are committed in one transaction, and its state is rebuilt from a changelog.
//   - Queue: single records finished in any order; committed up to the oldest
//     unfinished one.
//
// A handler never sees franz-go. Stop consumers before Close.
package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/stalker-asm/stalker/pipeline/config"
)

// Config says how to reach the brokers and how the topics are cut.
type Config struct {
	// Brokers are the host:port addresses to start from. Empty means the embedded broker.
	Brokers []string `yaml:"brokers"`
	// TLS says how to encrypt the connection.
	TLS config.TLS `yaml:"tls"`
	// SASL names the mechanism: plain, scram-sha-256 or scram-sha-512; empty is none.
	SASL string `yaml:"sasl"`
	// User is who to log in as with SASL.
	User string `yaml:"user"`
	// Password is the user's.
	Password config.Secret `yaml:"password"`
	// Prefix goes before the name of every topic, group and transactional id, so that
	// several installations can share brokers.
	Prefix string `yaml:"prefix"`
	// Partitions is how many partitions new topics get; existing ones keep theirs.
	Partitions int `yaml:"partitions"`
	// Replicas is the replication factor of new topics; -1 is the broker's default.
	Replicas int `yaml:"replicas"`
	// StableTransactions keeps transactional ids across restarts. Real Kafka wants
	// that (it fences a zombie of the same worker); the embedded broker does not
	// recover them after a crash.
	StableTransactions bool `yaml:"stableTransactions"`
	// Worker names this process in stable transactional ids: a name that survives
	// restarts and that no other process has. Empty means the name of the host.
	Worker string `yaml:"worker"`

	// Dial replaces the network, for the embedded broker.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) `yaml:"-"`
	// Ledger is told of every commit beforehand, for a broker that does not finish one
	// it has begun when it dies. Kafka does; nil is for it.
	Ledger Ledger `yaml:"-"`
}

// DefaultConfig is the embedded broker with eight partitions.
func DefaultConfig() Config { return Config{Partitions: 8, Replicas: -1} }

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.Partitions < 1 || c.Partitions > 1024 {
		errs = append(errs, fmt.Errorf("partitions is %d, must be 1..1024", c.Partitions))
	}
	if c.Replicas == 0 || c.Replicas < -1 {
		errs = append(errs, fmt.Errorf("replicas is %d, must be -1 or at least 1", c.Replicas))
	}
	switch c.SASL {
	case "", "plain", "scram-sha-256", "scram-sha-512":
	default:
		errs = append(errs, fmt.Errorf("sasl %q is none of plain, scram-sha-256, scram-sha-512", c.SASL))
	}
	if c.SASL != "" && c.User == "" {
		errs = append(errs, errors.New("sasl needs user"))
	}
	if !prefixForm.MatchString(c.Prefix) {
		errs = append(errs, fmt.Errorf("prefix %q must be at most 100 letters, digits, dots, dashes and underscores", c.Prefix))
	}
	return errors.Join(errs...)
}

// prefixForm is what the names of topics may consist of.
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9._-]{0,100}$`)

// worker is what stable transactional ids end with, "" when they are not stable.
func (c *Config) worker() (string, error) {
	if !c.StableTransactions {
		return "", nil
	}
	if c.Worker != "" {
		return c.Worker, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("bus config: worker is not set and the host has no name: %w", err)
	}
	return host, nil
}

// Deps is what the bus needs from the process.
type Deps struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Bus makes producers and consumers that share a configuration.
type Bus struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	client  *kgo.Client
	admin   *kadm.Client
	tls     *tls.Config // nil when connections are not encrypted
	names   names
	worker  string // in transactional ids; "" when each is new
}

// New checks the configuration. Nothing is connected until the first use.
func New(cfg Config, d Deps) (*Bus, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("bus config: %w", err)
	}
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("bus config: brokers must be set")
	}
	b := &Bus{cfg: cfg, log: d.Log.With("component", "bus"), metrics: newMetrics(d.Metrics), names: newNames(cfg.Prefix)}
	var err error
	if b.tls, err = cfg.TLS.Client(); err != nil {
		return nil, fmt.Errorf("bus config: %w", err)
	}
	if b.worker, err = cfg.worker(); err != nil {
		return nil, err
	}
	if b.client, err = kgo.NewClient(b.options()...); err != nil {
		return nil, fmt.Errorf("bus config: %w", err)
	}
	b.admin = kadm.NewClient(b.client)
	return b, nil
}

// Close ends the connections that Migrate, Ends, Lag and Ping use. Producers and
// consumers have their own.
func (b *Bus) Close() { b.client.Close() }

// Ping reports whether a broker answers.
func (b *Bus) Ping(ctx context.Context) error {
	if err := b.client.Ping(ctx); err != nil {
		return classify(fmt.Errorf("asking the brokers: %w", err))
	}
	return nil
}

// options are what every client needs.
func (b *Bus) options(more ...kgo.Opt) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(b.cfg.Brokers...),
		kgo.ClientID("stalker"),
		kgo.RetryTimeout(30 * time.Second),
		kgo.WithLogger(clientLog{b.log}),
	}
	switch {
	case b.cfg.Dial != nil:
		opts = append(opts, kgo.Dialer(b.cfg.Dial))
	case b.tls != nil:
		opts = append(opts, kgo.DialTLSConfig(b.tls.Clone()))
	}
	switch b.cfg.SASL {
	case "plain":
		opts = append(opts, kgo.SASL(plain.Auth{User: b.cfg.User, Pass: string(b.cfg.Password)}.AsMechanism()))
	case "scram-sha-256":
		opts = append(opts, kgo.SASL(scram.Auth{User: b.cfg.User, Pass: string(b.cfg.Password)}.AsSha256Mechanism()))
	case "scram-sha-512":
		opts = append(opts, kgo.SASL(scram.Auth{User: b.cfg.User, Pass: string(b.cfg.Password)}.AsSha512Mechanism()))
	}
	return append(opts, more...)
}

// clientLog passes the library's warnings on; its chatter stays out.
type clientLog struct{ log *slog.Logger }

func (clientLog) Level() kgo.LogLevel { return kgo.LogLevelWarn }

func (l clientLog) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if level == kgo.LogLevelError {
		l.log.Error("kafka client", append([]any{"event", msg}, keyvals...)...)
		return
	}
	l.log.Debug("kafka client", append([]any{"event", msg}, keyvals...)...)
}
