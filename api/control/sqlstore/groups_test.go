package sqlstore_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
)

// given is every list of scopes that a version gave a built-in group, the newest last.
// Who changes auth.BuiltInGroups adds the new list here, and a migration that brings
// the one before up to it.
var given = map[string][][]string{
	auth.AdminsID: {{"*"}},
	auth.UsersID: {
		{
			"manage:projects:*", "manage:tags:*", "manage:secrets:*", "manage:members:read", "manage:api-key:create", "manage:config:read",
			"resources:*", "automation:*", "data:*",
		},
		{
			"manage:projects:*", "manage:tags:*", "manage:secrets:*", "manage:notifications:*", "manage:members:read", "manage:api-key:create", "manage:config:read",
			"resources:*", "automation:*", "data:*",
		},
	},
	auth.ReadOnlyID: {{
		"manage:projects:read", "manage:tags:read", "manage:secrets:read", "manage:members:read", "manage:api-key:create", "manage:config:read",
		"resources:*:read", "automation:*:read", "data:*:read",
	}},
}

func TestAnOldInstallationsGroupsGetWhatAFreshOnesHave(t *testing.T) {
	for _, g := range auth.BuiltInGroups() {
		for _, old := range given[g.ID] {
			if d := cmp.Diff(g.Scopes, upgraded(t, g.ID, old).Scopes); d != "" {
				t.Errorf("group %s with %v (-fresh +after the migrations):\n%s", g.Name, old, d)
			}
		}
	}
}

func TestGroupsThatAPersonChangedStayAsTheyAre(t *testing.T) {
	for _, own := range [][]string{
		slices.DeleteFunc(slices.Clone(given[auth.UsersID][0]), func(s string) bool { return s == "manage:secrets:*" }),
		append(slices.Clone(given[auth.UsersID][0]), "manage:users:read"),
		{},
	} {
		if d := cmp.Diff(own, upgraded(t, auth.UsersID, own).Scopes); d != "" {
			t.Errorf("(-chosen +after the migrations):\n%s", d)
		}
	}
}

// upgraded is what becomes of a group that has these scopes when all that changes
// groups is applied.
func upgraded(t *testing.T, id string, scopes []string) auth.Group {
	t.Helper()
	at := sqlstoretest.New(t)
	s := at.Open(t)
	text, err := json.Marshal(scopes)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`UPDATE user_groups SET scopes = ? WHERE id = ?`, []any{string(text), id}},
		{`DELETE FROM migrations WHERE name LIKE '%_groups%'`, nil},
	} {
		if err := s.Exec(t.Context(), step.statement, step.args...); err != nil {
			t.Fatal(err)
		}
	}
	before, err := s.Group(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := at.Open(t).Group(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if changed := !slices.Equal(before.Scopes, after.Scopes); changed != (after.Version > before.Version) {
		t.Errorf("version %d became %d, changed: %v: who had it open must be told", before.Version, after.Version, changed)
	}
	return after
}
