package schema

import (
	"context"
	"fmt"
)

// Fillings fills the columns that are not yet, once Reconcile has made them; again
// fills the others too, for what the release before wrote after the first time. It may
// take as long as reading a table does.
func Fillings(ctx context.Context, c Conn, tables []Table, again bool) ([]Step, error) {
	filled := map[[2]string]bool{}
	err := each(ctx, c, "SELECT table, name, comment FROM system.columns WHERE database = currentDatabase() AND comment != ''", func(f [3]string) {
		filled[[2]string{f[0], f[1]}] = f[2] == Filled
	})
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	var steps []Step
	for _, t := range tables {
		for _, f := range t.Fills {
			s := Step{Name: "filling " + t.Name + "." + f.Column}
			if again || !filled[[2]string{t.Own(), f.Column}] {
				s.Applied = true
				for _, sql := range []string{f.SQL, fmt.Sprintf("%s COMMENT COLUMN %s '%s'", t.alter(), f.Column, Filled)} {
					if err := c.Exec(ctx, sql); err != nil {
						return steps, fmt.Errorf("%s: %w", s.Name, err)
					}
				}
			}
			steps = append(steps, s)
		}
	}
	return steps, nil
}
