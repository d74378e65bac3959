package schema

import (
	"context"
	"errors"
	"fmt"
)

// Missing names what Reconcile would make, and reports what it could not.
func Missing(ctx context.Context, c Conn, tables []Table) ([]string, error) {
	have, err := inspect(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	var missing []string
	var problems []error
	for _, t := range tables {
		plan, err := have.plan(&t)
		problems = append(problems, err)
		for _, p := range append(plan, have.over(&t)...) {
			if len(p.sql) > 0 {
				missing = append(missing, p.name)
			}
		}
	}
	return missing, errors.Join(problems...)
}
