// Package crash holds the tests that kill the server: with SIGKILL, at seeded
// random moments, as a whole and role by role, and compare what is left in the end
// with a run that nobody disturbed. make test-crash runs them at full size.
package crash
