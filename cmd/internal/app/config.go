package app

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/api/auth/sso"
	"github.com/stalker-asm/stalker/api/control/gitsource"
	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/api/mail"
	"github.com/stalker-asm/stalker/api/notify"
	"github.com/stalker-asm/stalker/api/server"
	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/matchers/schedule"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/config"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/seal"
	"github.com/stalker-asm/stalker/pipeline/telemetry"
	"github.com/stalker-asm/stalker/pipeline/trace"
	"github.com/stalker-asm/stalker/sinks/chdb"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
	"github.com/stalker-asm/stalker/sinks/launcher/local"
)

// Config is the whole configuration of a process.
type Config struct {
	// Data is the directory in which embedded parts keep everything.
	Data string `yaml:"data"`
	// Roles are what this process does; empty means all of them.
	Roles []string `yaml:"roles"`
	// Log says what is logged and how.
	Log telemetry.Config `yaml:"log"`
	// Tracing says whether and where what the system does is followed, span by span.
	Tracing trace.Config `yaml:"tracing"`
	// HTTP is the listener of the API, the gateway and the web interface.
	HTTP server.Config `yaml:"http"`
	// Gateway bounds what jobs may send.
	Gateway gateway.Config `yaml:"gateway"`
	// GatewayURL is where jobs reach the gateway, such as http://stalker-gateway.stalker.svc/gateway/v1; empty means this process's own address, which pods cannot reach.
	GatewayURL string `yaml:"gatewayUrl"`
	// JobTokenKey signs the tokens of jobs, 32 random bytes in base64. Processes that
	// share the work share it; empty means one of its own, kept in the data directory.
	JobTokenKey config.Secret `yaml:"jobTokenKey"`
	// JobTokenKeyOld is a key of which tokens are still taken, while it is replaced.
	JobTokenKeyOld config.Secret `yaml:"jobTokenKeyOld"`
	// Secrets are the keys of the secrets that jobs are given.
	Secrets seal.Config `yaml:"secrets"`
	// Bus is Kafka; no brokers means the embedded one.
	Bus bus.Config `yaml:"bus"`
	// ClickHouse is the analytical store; no addresses means the embedded engine.
	ClickHouse clickhouse.Config `yaml:"clickhouse"`
	// Control is the database of the control plane: users, projects, subscriptions.
	Control sqlstore.Config `yaml:"control"`
	// Retention is for how many days rows are kept in the analytical store; 0 means
	// forever. It holds from the next start or stalker migrate on, for what is there too.
	Retention schema.Retention `yaml:"retention"`
	// Engine is the embedded ClickHouse engine.
	Engine chdb.Config `yaml:"engine"`
	// Sources are git repositories that jobs and subscriptions are kept from.
	Sources gitsource.Config `yaml:"sources"`
	// Notifications bounds who is told what happens, and how.
	Notifications notify.Config `yaml:"notifications"`
	// Mail is the server through which e-mail is sent.
	Mail mail.Config `yaml:"mail"`
	// SSO is the single sign-on, by OpenID Connect.
	SSO sso.Config `yaml:"sso"`
	// Matcher bounds automation.
	Matcher engine.Config `yaml:"matcher"`
	// Scheduler bounds what cron and reconcile subscriptions do at once.
	Scheduler schedule.Config `yaml:"scheduler"`
	// Launcher bounds what runs.
	Launcher launcher.Config `yaml:"launcher"`
	// Local bounds the processes of jobs; for launcher.runner local.
	Local local.Config `yaml:"local"`
	// Kubernetes says where and as what jobs run as pods; for launcher.runner kubernetes.
	Kubernetes kube.Config `yaml:"kubernetes"`
}

// Roles a process may have.
const (
	RoleAPI       = "api"
	RoleGateway   = "gateway"
	RoleProjector = "projector"
	RoleMatcher   = "matcher"
	RoleScheduler = "scheduler"
	RoleLauncher  = "launcher"
)

// Roles lists every role.
func Roles() []string {
	return []string{RoleAPI, RoleGateway, RoleProjector, RoleMatcher, RoleScheduler, RoleLauncher}
}

// DefaultConfig is everything embedded, on this machine's port 8080.
func DefaultConfig() Config {
	c := Config{
		Data: DefaultData(), Log: telemetry.DefaultConfig(), Tracing: trace.DefaultConfig(), HTTP: server.DefaultConfig(), Gateway: gateway.DefaultConfig(),
		Bus: bus.DefaultConfig(), ClickHouse: clickhouse.DefaultConfig(), Retention: schema.DefaultRetention(), Engine: chdb.DefaultConfig(),
		Sources: gitsource.DefaultConfig(), Notifications: notify.DefaultConfig(), Mail: mail.DefaultConfig(), SSO: sso.DefaultConfig(), Matcher: engine.DefaultConfig(), Scheduler: schedule.DefaultConfig(), Launcher: launcher.DefaultConfig(), Local: local.DefaultConfig(),
		Kubernetes: kube.DefaultConfig(),
	}
	c.Engine.Dir = c.path("clickhouse")
	return c
}

// DefaultData is $XDG_DATA_HOME/stalker, or ~/.local/share/stalker.
func DefaultData() string {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "stalker")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "share", "stalker")
}

// Validate reports the problems of the process as a whole; parts report their own.
func (c *Config) Validate() error {
	var errs []error
	if c.Data == "" {
		errs = append(errs, errors.New("data must be set"))
	}
	for _, r := range c.Roles {
		if !slices.Contains(Roles(), r) {
			errs = append(errs, fmt.Errorf("roles: %q is none of %s", r, strings.Join(Roles(), ", ")))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...) // what the rest says of roles would only confuse
	}
	if c.partial() && (len(c.Bus.Brokers) == 0 || len(c.ClickHouse.Addresses) == 0) {
		errs = append(errs, errors.New("roles: a process with some of the roles needs bus.brokers and clickhouse.addresses; embedded parts cannot be shared"))
	}
	if c.partial() && c.JobTokenKey == "" && (c.has(RoleGateway) || c.has(RoleLauncher)) {
		errs = append(errs, errors.New("jobTokenKey: gateway and launcher of separate processes must be given the same key: head -c 32 /dev/urandom | base64"))
	}
	if err := c.gatewayURL(); err != nil {
		errs = append(errs, err)
	}
	if err := c.Secrets.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("secrets: %w", err))
	}
	for name, key := range map[string]config.Secret{"jobTokenKey": c.JobTokenKey, "jobTokenKeyOld": c.JobTokenKeyOld} {
		if key == "" {
			continue
		}
		if _, err := jobtoken.ParseKey(string(key)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// gatewayURL reports what jobs could not reach.
func (c *Config) gatewayURL() error {
	if c.GatewayURL == "" {
		if c.has(RoleLauncher) && c.Launcher.Runner == launcher.RunnerKubernetes {
			return errors.New("gatewayUrl must be set for launcher.runner kubernetes: pods reach the gateway by its Service, such as http://stalker-gateway.stalker.svc/gateway/v1")
		}
		return nil
	}
	u, err := url.Parse(c.GatewayURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !strings.HasSuffix(u.Path, gateway.Path) {
		return fmt.Errorf("gatewayUrl: %q is no address of a gateway, such as http://stalker-gateway.stalker.svc%s", c.GatewayURL, gateway.Path)
	}
	return nil
}

// StoreConfig is that of the analytical store, with how long it keeps things.
func (c *Config) StoreConfig() clickhouse.Config {
	s := c.ClickHouse
	s.Retention = c.Retention
	return s
}

func (c *Config) partial() bool {
	for _, r := range Roles() {
		if !c.has(r) {
			return true
		}
	}
	return false
}

// reads says whether a role of this process needs the analytical store.
func (c *Config) reads() bool {
	return c.has(RoleAPI) || c.has(RoleProjector) || c.has(RoleScheduler)
}

func (c *Config) has(role string) bool { return len(c.Roles) == 0 || slices.Contains(c.Roles, role) }

func (c *Config) path(parts ...string) string {
	return filepath.Join(append([]string{c.Data}, parts...)...)
}
