package sqlstore_test

import (
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/pipeline/config"
)

func TestAddressesOfDatabases(t *testing.T) {
	for dsn, want := range map[string]bool{
		"": true,
		"postgres://stalker:hunter2@db.example:5432/stalker?sslmode=verify-full": true,
		"postgresql://db.example/stalker":                                        true,
		"host=db.example user=stalker password=hunter2 dbname=stalker":           true,
		"postgres://stalker:hunter2@db.example:port/stalker":                     false,
		"mysql://stalker:hunter2@db.example/stalker":                             false,
		"/var/lib/hunter2.db":                                                    false,
	} {
		err := (&sqlstore.Config{DSN: config.Secret(dsn)}).Validate()
		if (err == nil) != want || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
