package clickhouse

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline/config"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

// Protocols a server is spoken to with.
const (
	ProtocolNative = "native"
	ProtocolHTTP   = "http"
)

// Config says where the store is and how long it may take.
type Config struct {
	// Addresses are the servers, as host:port, tried in order. None means the
	// embedded engine.
	Addresses []string `yaml:"addresses"`
	// Protocol is native (port 9000, 9440 with TLS) or http (8123, 8443 with TLS).
	Protocol string `yaml:"protocol"`
	// Database holds the tables; it is made when missing.
	Database string `yaml:"database"`
	// User is who to log in as.
	User string `yaml:"user"`
	// Password is the user's.
	Password config.Secret `yaml:"password"`
	// TLS says how to encrypt the connection.
	TLS config.TLS `yaml:"tls"`
	// Cluster says how the tables are spread over several servers.
	Cluster schema.Cluster `yaml:"cluster"`
	// Compression of what is sent to servers: lz4, zstd or none.
	Compression string `yaml:"compression"`
	// DialTimeout bounds opening a connection.
	DialTimeout time.Duration `yaml:"dialTimeout"`
	// ReadTimeout bounds one question, for example one page of a list.
	ReadTimeout time.Duration `yaml:"readTimeout"`
	// WriteTimeout bounds writing one batch, changing the schema, and deleting.
	WriteTimeout time.Duration `yaml:"writeTimeout"`
	// MaxConnections is how many connections are open at most.
	MaxConnections int `yaml:"maxConnections"`

	// MaxReads is how many questions are answered at once, exports aside. Each uses every
	// core of the store, so that more of them are not faster, and take time from writing;
	// servers of many cores bear more.
	MaxReads int `yaml:"maxReads"`
	// MaxReadsWriting is how many questions are answered at once, but never more than
	// maxReads, while this process writes batches of a thousand findings and more, so that
	// these have their share of the cores.
	MaxReadsWriting int `yaml:"maxReadsWriting"`
	// MaxWaiting is how many questions may wait for their turn; more are told to come
	// again (503 with Retry-After).
	MaxWaiting int `yaml:"maxWaiting"`
	// WaitTimeout is for how long a question waits for its turn, before it is told so too.
	WaitTimeout time.Duration `yaml:"waitTimeout"`

	// Retention is how long rows are kept; the process has a section of its own for it.
	Retention schema.Retention `yaml:"-"`
}

// DefaultConfig is the embedded engine.
func DefaultConfig() Config {
	return Config{
		Protocol: ProtocolNative, Database: "stalker", User: "default", Compression: "lz4",
		DialTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute, MaxConnections: 16,
		MaxReads: 4, MaxReadsWriting: 2, MaxWaiting: 256, WaitTimeout: 10 * time.Second,
	}
}

// A database's name goes into statements as an identifier; this is what needs no
// quoting anywhere.
var databaseForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

var compressions = map[string]clickhouse.CompressionMethod{
	"lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD, "none": clickhouse.CompressionNone,
}

// Validate returns every problem of c, joined.
func (c *Config) Validate() error {
	var errs []error
	if err := c.Cluster.Problem(); err != nil {
		errs = append(errs, fmt.Errorf("cluster.%w", err))
	}
	if c.Cluster.Name != "" && len(c.Addresses) == 0 {
		errs = append(errs, errors.New("cluster: the embedded engine is alone; addresses must name the servers"))
	}
	for i, a := range c.Addresses {
		if _, _, err := net.SplitHostPort(a); err != nil {
			errs = append(errs, fmt.Errorf("addresses[%d]: %q is not host:port", i, a))
		}
	}
	if c.Protocol != ProtocolNative && c.Protocol != ProtocolHTTP {
		errs = append(errs, fmt.Errorf("protocol: %q is neither %s nor %s", c.Protocol, ProtocolNative, ProtocolHTTP))
	}
	if _, ok := compressions[c.Compression]; !ok {
		errs = append(errs, fmt.Errorf("compression: %q is none of lz4, zstd, none", c.Compression))
	}
	if !databaseForm.MatchString(c.Database) || c.Database == "default" || c.Database == "system" {
		errs = append(errs, fmt.Errorf("database: %q is not a name for a database of our own: letters, digits and _, not default or system", c.Database))
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"dialTimeout", c.DialTimeout}, {"readTimeout", c.ReadTimeout}, {"writeTimeout", c.WriteTimeout}, {"waitTimeout", c.WaitTimeout}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be more than zero", d.key))
		}
	}
	if err := c.Retention.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("retention: %w", err))
	}
	if c.MaxConnections < 1 {
		errs = append(errs, errors.New("maxConnections: must be at least 1"))
	}
	if c.MaxReads < 1 {
		errs = append(errs, errors.New("maxReads: must be at least 1"))
	}
	if c.MaxReadsWriting < 1 {
		errs = append(errs, errors.New("maxReadsWriting: must be at least 1"))
	}
	if c.MaxWaiting < 0 {
		errs = append(errs, errors.New("maxWaiting: must not be negative"))
	}
	return errors.Join(errs...)
}
