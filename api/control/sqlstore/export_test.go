package sqlstore

import "context"

// Exec runs a statement, for tests that need a database as another version left it.
func (s *Store) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := s.exec(ctx, statement, args...)
	return err
}
